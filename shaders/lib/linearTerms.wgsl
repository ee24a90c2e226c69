// What a linear reads and writes, whichever way it is tiled. The including shader says GATE, BIAS and RESIDUAL.
struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, inputs: u32, outputs: u32,
  squared: u32,             // = outputs: none
  x_offset: u32, x_stride: u32,
  gate_offset: u32, gate_stride: u32,
  residual_offset: u32, residual_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;       // [tokens, inputs]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;   // [4·inputs, outputs]
@group(0) @binding(3) var<storage, read> gate: array<Stored>;    // [tokens, outputs]
@group(0) @binding(4) var<storage, read> residual: array<Stored>; // [tokens, outputs]
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;     // [outputs]
@group(0) @binding(6) var<storage, read_write> y: array<Stored>; // [tokens, outputs]

fn load(token: u32, input: u32) -> vec4f {
  return widened(x[p.x_offset + token * p.x_stride + input]);
}

fn store(token: u32, output: u32, sum: vec4f) {
  var value = sum;
  if (output >= p.squared) {
    let positive = max(value, vec4f(0.0));
    value = positive * positive;
  }
  if (GATE) { value *= sigmoid(widened(gate[p.gate_offset + token * p.gate_stride + output])); }
  if (BIAS) { value += bias[output]; }
  if (RESIDUAL) { value += widened(residual[p.residual_offset + token * p.residual_stride + output]); }
  y[p.y_offset + token * p.y_stride + output] = narrowed(value);
}
