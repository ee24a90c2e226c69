// Pixel-shuffle and pixel-unshuffle in PyTorch's channel order, and a plain copy into a range of channels (concat):
// one float of y a thread. Padding channels of y become zero.
const SHUFFLE = false;
alias Stored = f32;         // or f16
const UNSHUFFLE = false;    // neither: copy

struct Params {             // offsets and strides in floats
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
  let channel = id.x % p.lanes;
  let column = id.x / p.lanes;
  let row = id.y;
  let image = id.z;
  if (column >= p.width) { return; }
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
  var value = 0.0;
  if (channel < p.channels) { value = f32(x[p.x_offset + source_pixel * p.x_stride + source]); }
  y[p.y_offset + ((image * p.height + row) * p.width + column) * p.y_stride + channel] = Stored(value);
}
