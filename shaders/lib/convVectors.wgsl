// A convolution's results, whole vec4s of channels: plain, or through pixel-shuffle's index map.
#include "lib/stored.wgsl"
@group(0) @binding(4) var<storage, read> residual: array<Stored>; // [N, height, width, outputs]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;  // [N, height, width, outputs], or shuffled

fn store(image: u32, row: u32, column: u32, output: u32, first: vec4f, second: vec4f) {
  store_pixel(image, row, column, output, first);
  if (column + 1u < p.width) { store_pixel(image, row, column + 1u, output, second); }
}

fn store_pixel(image: u32, row: u32, column: u32, output: u32, value: vec4f) {
  var pixel = (image * p.height + row) * p.width + column;
  var channel = output;
  var sum = value;
  if (p.has_residual == 1u) { sum += widened(residual[p.residual_offset + pixel * p.residual_stride + channel]); }
  if (p.shuffle == 1u) {
    let s = output / p.quarter;
    pixel = (image * 2u * p.height + 2u * row + s / 2u) * 2u * p.width + 2u * column + s % 2u;
    channel = output % p.quarter;
  }
  y[p.y_offset + pixel * p.y_stride + channel] = narrowed(sum);
}
