// Pixel-shuffle and pixel-unshuffle in PyTorch's channel order, and a plain copy into a range of channels (concat):
// one element of y a thread, or the elements that a word of it packs. Padding channels of y become zero.
const SHUFFLE = false;
const UNSHUFFLE = false;    // neither: copy
const UNIT = 1u;            // elements a word
alias Stored = f32;         // or f16, or u32 of two packed halves
#include "lib/element.wgsl"

struct Params {             // offsets and strides in elements
  height: u32, width: u32,  // of y
  channels: u32,            // of y, the true count
  lanes: u32,               // of y, with padding
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;    // [N, height / 2, width / 2, 4·channels], or …
@group(0) @binding(2) var<storage, read_write> y: array<Stored>; // [N, height, width, lanes]

@compute @workgroup_size(64)
fn pixelShuffle(@builtin(global_invocation_id) id: vec3u) {
  let before = p.y_offset % UNIT; // elements of a pixel's first word that are another range's, and stay
  let words = (before + p.lanes + UNIT - 1u) / UNIT;
  let column = id.x / words;
  let row = id.y;
  let image = id.z;
  if (column >= p.width) { return; }
  let first = p.y_offset + ((image * p.height + row) * p.width + column) * p.y_stride - before + id.x % words * UNIT;
  var word = y[first / UNIT];
  for (var i = 0u; i < UNIT; i++) {
    let channel = id.x % words * UNIT + i - before;
    var source_pixel = (image * p.height + row) * p.width + column;
    var source = channel;
    if (SHUFFLE) {
      source_pixel = (image * (p.height / 2u) + row / 2u) * (p.width / 2u) + column / 2u;
      source = 4u * channel + 2u * (row % 2u) + column % 2u;
    } else if (UNSHUFFLE) {
      let s = channel % 4u;
      source_pixel = (image * 2u * p.height + 2u * row + s / 2u) * 2u * p.width + 2u * column + s % 2u;
      source = channel / 4u;
    }
    let at = p.x_offset + source_pixel * p.x_stride + source;
    if (channel < p.channels) {
      word = with_element(word, i, element(x[at / UNIT], at % UNIT));
    } else if (channel < p.lanes) {
      word = with_element(word, i, 0.0);
    }
  }
  y[first / UNIT] = word;
}
