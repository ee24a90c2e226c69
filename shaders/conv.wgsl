// Convolution 3×3, zero padding: y = x ∗ W + bias + residual, written plainly or through pixel-(un)shuffle's index map.
alias Input = vec4f;        // x in memory: f32 for an image of one channel (rows 1…3 of W are zero), else as Stored
alias Lane = vec4f;
alias Stored = vec4f;       // residual and y in memory, as lib/convVectors.wgsl or whatever takes its place wants them
const PIXELS = 4u;          // neighbours of a row a thread, an even number
const OUTPUTS = 1u;         // vec4s of output channels a thread
#include "lib/input.wgsl"
#include "lib/convTerms.wgsl"
#include "lib/convVectors.wgsl"

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
          value[i] = widened_input(x[p.x_offset + (line + at - 1u) * p.x_stride + k]);
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
  // Two pixels after the other, the rest moving up: software drivers take long to compile a store.
  let end = min(column + PIXELS, p.width);
  for (var at = column; at < end; at += 2u) {
    for (var o = 0u; o < OUTPUTS; o++) {
      let output = first_output + o;
      if (output < p.outputs) { store_with_bias(image, id.y, at, output, sum[0][o], sum[1][o]); }
      for (var i = 0u; i < PIXELS - 2u; i++) { sum[i][o] = sum[i + 2u][o]; }
    }
  }
}
