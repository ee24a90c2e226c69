// What a channel mix reads and writes, whichever way it is tiled.
struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, vectors: u32,
  hidden: u32,
  has_residual: u32,
  x_offset: u32, x_stride: u32,
  residual_offset: u32, residual_stride: u32,
  y_offset: u32, y_stride: u32,
  height: u32, width: u32,  // of an image
  channels: u32,            // of a token, the true count
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;       // [tokens, vectors]
@group(0) @binding(2) var<storage, read> inward: array<vec4f>;   // [4·vectors, vectors + hidden], receptance and key
@group(0) @binding(3) var<storage, read> outward: array<vec4f>;  // [4·hidden, vectors], value
@group(0) @binding(4) var<storage, read> residual: array<Stored>; // [tokens, vectors]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>; // [tokens, vectors]

fn store(token: u32, output: u32, receptance: vec4f, value: vec4f) {
  var result = sigmoid(receptance) * value;
  if (p.has_residual == 1u) { result += widened(residual[p.residual_offset + token * p.residual_stride + output]); }
  y[p.y_offset + token * p.y_stride + output] = narrowed(result);
}
