// Channel mix, eqs. 5–7, of shifted tokens: y = sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual. The hidden channels, four times
// as many as the token's own, never leave the workgroup: eight vec4s of them at a time are shared and used up.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;      // an activation in memory: vec4f or vec4h
const VECTORS = 6u;         // vec4s of a token's channels, p.vectors
const TOKENS = 8u;          // tokens a thread
const OUTPUTS = 1u;         // vec4s of its result a thread: a row of eight threads makes a token's
#include "lib/channelMixTerms.wgsl"

var<workgroup> x_tile: array<array<vec4f, 8u * TOKENS>, VECTORS>;
var<workgroup> hidden_tile: array<array<vec4f, 8u * TOKENS>, 8>;

// x·W of the thread's tokens for one vec4 of output channels; where it is not there, another's.
fn project(row: u32, column: u32) -> array<vec4f, TOKENS> {
  let columns = p.vectors + p.hidden;
  let at = min(column, columns - 1u);
  var sum: array<vec4f, TOKENS>;
  for (var k = 0u; k < p.vectors; k++) {
    let w0 = inward[4u * k * columns + at];
    let w1 = inward[(4u * k + 1u) * columns + at];
    let w2 = inward[(4u * k + 2u) * columns + at];
    let w3 = inward[(4u * k + 3u) * columns + at];
    for (var t = 0u; t < TOKENS; t++) {
      let value = x_tile[k][row + 8u * t];
      sum[t] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
    }
  }
  return sum;
}

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let token_base = group.x * 8u * TOKENS;
  let column = lane % 8u;
  let row = lane / 8u;
  for (var i = lane; i < 8u * TOKENS * VECTORS; i += 64u) {
    let token = min(token_base + i / VECTORS, p.tokens - 1u);
    x_tile[i % VECTORS][i / VECTORS] = vec4f(x[p.x_offset + token * p.x_stride + i % VECTORS]);
  }
  workgroupBarrier();

  var result: array<array<vec4f, OUTPUTS>, TOKENS>;
  for (var base = 0u; base < p.hidden; base += 8u) {
    let hidden = project(row, p.vectors + base + column);
    for (var t = 0u; t < TOKENS; t++) {
      let positive = max(hidden[t], vec4f(0.0));
      hidden_tile[column][row + 8u * t] = positive * positive;
    }
    workgroupBarrier();
    let count = min(8u, p.hidden - base);
    for (var j = 0u; j < count; j++) {
      for (var o = 0u; o < OUTPUTS; o++) {
        let at = 4u * (base + j) * VECTORS + min(column + 8u * o, VECTORS - 1u);
        let w0 = outward[at];
        let w1 = outward[at + VECTORS];
        let w2 = outward[at + 2u * VECTORS];
        let w3 = outward[at + 3u * VECTORS];
        for (var t = 0u; t < TOKENS; t++) {
          let value = hidden_tile[j][row + 8u * t];
          result[t][o] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
        }
      }
    }
    workgroupBarrier();
  }
  for (var o = 0u; o < OUTPUTS; o++) {
    let output = column + 8u * o;
    let receptance = project(row, min(output, VECTORS - 1u));
    for (var t = 0u; t < TOKENS; t++) {
      let token = token_base + row + 8u * t;
      if (token < p.tokens && output < VECTORS) { store(token, output, receptance[t], result[t][o]); }
    }
  }
}
