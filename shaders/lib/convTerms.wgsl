// What a 3×3 convolution reads, whichever way it is tiled. What it writes: lib/convVectors.wgsl and its like.
struct Params {             // x in Inputs, W in vec4s, residual and y in what is stored
  height: u32, width: u32, inputs: u32, outputs: u32,
  images: u32,
  has_bias: u32,
  has_residual: u32,        // where y is written plainly
  shuffle: u32,             // 1: vec4 s·quarter + c goes to vec4 c at offset (s / 2, s % 2) of twice the size
  quarter: u32,             // outputs / 4 sub-pixels
  channels: u32,            // of y, the true count
  x_offset: u32, x_stride: u32,
  residual_offset: u32, residual_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Input>;      // [N, height, width, inputs]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>; // [3, 3, 4·inputs, outputs]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;   // [outputs]

// A channel vec4's values of two neighbours in a row, from an even column on.
fn store_with_bias(image: u32, row: u32, column: u32, output: u32, first: vec4f, second: vec4f) {
  if (p.has_bias == 1u) {
    store(image, row, column, output, first + bias[output], second + bias[output]);
  } else {
    store(image, row, column, output, first, second);
  }
}
