// Convolution 3×3, zero padding: y = x ∗ W + bias + residual, written plainly or through pixel-(un)shuffle's index map.
alias Input = vec4f;        // f32 for an image of one channel: its weight's rows 1…3 are zero; or vec4h
alias Output = f32;         // or f16
alias Added = f32;          // the residual
const PIXELS = 4u;          // neighbours of a row a thread
const OUTPUTS = 1u;         // vec4s of output channels a thread

struct Params {             // x's and W's in Inputs and vec4s, residual's and y's in floats
  height: u32, width: u32, inputs: u32, outputs: u32,
  has_bias: u32,
  has_residual: u32,        // added where y is written plainly
  shuffle: u32,             // 1: channel s·quarter + c goes to channel c at offset (s / 2, s % 2) of twice the size
  unshuffle: u32,           // 1: channel o goes to channel 4o + 2(row % 2) + column % 2 of half the size
  written: u32,             // how many of the 4·outputs channels exist in y
  quarter: u32,             // 4·outputs / 4 sub-pixels
  x_offset: u32, x_stride: u32,
  residual_offset: u32, residual_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Input>;      // [N, height, width, inputs]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>; // [3, 3, 4·inputs, outputs]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;   // [outputs]
@group(0) @binding(4) var<storage, read> residual: array<Added>; // [N, height, width, written]
@group(0) @binding(5) var<storage, read_write> y: array<Output>;// as above, or rearranged

fn store(image: u32, row: u32, column: u32, channel: u32, value: f32) {
  if (channel >= p.written) { return; }
  if (p.shuffle == 1u) {
    let s = channel / p.quarter;
    let pixel = (image * 2u * p.height + 2u * row + s / 2u) * 2u * p.width + 2u * column + s % 2u;
    y[p.y_offset + pixel * p.y_stride + channel % p.quarter] = Output(value);
  } else if (p.unshuffle == 1u) {
    let pixel = (image * (p.height / 2u) + row / 2u) * (p.width / 2u) + column / 2u;
    y[p.y_offset + pixel * p.y_stride + 4u * channel + 2u * (row % 2u) + column % 2u] = Output(value);
  } else {
    let pixel = (image * p.height + row) * p.width + column;
    var sum = value;
    if (p.has_residual == 1u) { sum += f32(residual[p.residual_offset + pixel * p.residual_stride + channel]); }
    y[p.y_offset + pixel * p.y_stride + channel] = Output(sum);
  }
}

@compute @workgroup_size(64)
fn conv(@builtin(global_invocation_id) id: vec3u) {
  let groups = (p.outputs + OUTPUTS - 1u) / OUTPUTS;
  let column = id.x * PIXELS;
  let image = id.z / groups;
  let first_output = id.z % groups * OUTPUTS;
  if (column >= p.width) { return; }
  var sum: array<array<vec4f, OUTPUTS>, PIXELS>;
  for (var dy = 0; dy < 3; dy++) {
    let source = i32(id.y) + dy - 1;
    if (source < 0 || source >= i32(p.height)) { continue; }
    let line = (image * p.height + u32(source)) * p.width;
    for (var k = 0u; k < p.inputs; k++) {
      var value: array<vec4f, PIXELS + 2u>;
      for (var i = 0u; i < PIXELS + 2u; i++) {
        let at = column + i; // one to the right of the pixel that it names
        if (at >= 1u && at - 1u < p.width) {
          value[i] = vec4f(x[p.x_offset + (line + at - 1u) * p.x_stride + k]);
        }
      }
      for (var dx = 0u; dx < 3u; dx++) {
        for (var o = 0u; o < OUTPUTS; o++) {
          let row_of_weight = ((u32(dy) * 3u + dx) * p.inputs + k) * 4u;
          let at = row_of_weight * p.outputs + min(first_output + o, p.outputs - 1u);
          let w0 = weight[at];
          let w1 = weight[at + p.outputs];
          let w2 = weight[at + 2u * p.outputs];
          let w3 = weight[at + 3u * p.outputs];
          for (var i = 0u; i < PIXELS; i++) {
            let v = value[i + dx];
            sum[i][o] += v.x * w0 + v.y * w1 + v.z * w2 + v.w * w3;
          }
        }
      }
    }
  }
  // One pixel after the other, the rest moving up: software drivers take long to compile a store.
  let end = min(column + PIXELS, p.width);
  for (var at = column; at < end; at++) {
    for (var o = 0u; o < OUTPUTS; o++) {
      let output = first_output + o;
      if (output < p.outputs) {
        var value = sum[0][o];
        if (p.has_bias == 1u) { value += bias[output]; }
        for (var c = 0u; c < 4u; c++) { store(image, id.y, at, 4u * output + c, value[c]); }
      }
      for (var i = 0u; i < PIXELS - 1u; i++) { sum[i][o] = sum[i + 1u][o]; }
    }
  }
}
