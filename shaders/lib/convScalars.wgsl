// A convolution's results where they are images of one channel.
#include "lib/stored.wgsl"
@group(0) @binding(4) var<storage, read> residual: array<Stored>; // [N, height, width]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;  // [N, height, width]

fn store(image: u32, row: u32, column: u32, output: u32, first: vec4f, second: vec4f) {
  store_pixel(image, row, column, first.x);
  if (column + 1u < p.width) { store_pixel(image, row, column + 1u, second.x); }
}

fn store_pixel(image: u32, row: u32, column: u32, value: f32) {
  let pixel = (image * p.height + row) * p.width + column;
  var sum = value;
  if (p.has_residual == 1u) { sum += widened(residual[p.residual_offset + pixel * p.residual_stride]); }
  y[p.y_offset + pixel * p.y_stride] = narrowed(sum);
}
