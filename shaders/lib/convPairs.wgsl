// A convolution's results through pixel-unshuffle's index map: channel o of a pixel goes to channel
// 4o + 2(row % 2) + column % 2 of half the size, so that two neighbours' values lie side by side in memory.
#include "lib/pair.wgsl"
@group(0) @binding(4) var<storage, read> residual: array<Stored>; // none
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;  // [N, height / 2, width / 2, 4·channels]

fn store(image: u32, row: u32, column: u32, output: u32, first: vec4f, second: vec4f) {
  let pixel = (image * (p.height / 2u) + row / 2u) * (p.width / 2u) + column / 2u;
  for (var c = 0u; c < 4u; c++) {
    if (4u * output + c < p.channels) {
      y[p.y_offset + pixel * p.y_stride + 2u * (4u * output + c) + row % 2u] = pair(first[c], second[c]);
    }
  }
}
