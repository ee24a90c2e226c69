// Channel mix, eqs. 5–7: y = sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual. The hidden channels, four times as many as the
// token's own, never leave the workgroup: eight vec4s of them at a time are shared and used up. The tokens are x's, or with
// lib/shiftedTile.wgsl what layer norm and Omni-Shift make of them.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const VECTORS = 6u;         // vec4s of a token's channels, p.vectors
const TOKENS = 8u;          // tokens a thread
const OUTPUTS = 1u;         // vec4s of its result a thread: a row of eight threads makes a token's
#include "lib/channelMixTerms.wgsl"
var<workgroup> shared_tile: array<vec4f, 64u * TOKENS>; // eight vec4s of hidden channels, [8, 8·TOKENS]
#include "lib/project.wgsl"
#include "lib/tokenTile.wgsl"

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = lane % 8u;
  let row = lane / 8u;
  let columns = p.vectors + p.hidden;
  fill_tile(group, lane);

  var result: array<array<vec4f, OUTPUTS>, TOKENS>;
  // Groups of eight vec4s: the hidden ones, then the receptance's.
  let hidden_end = (p.hidden + 7u) / 8u * 8u;
  for (var base = 0u; base < hidden_end + 8u * OUTPUTS; base += 8u) {
    let output = base - min(base, hidden_end) + column;
    let sum = project(row, select(min(output, VECTORS - 1u), VECTORS + base + column, base < hidden_end), columns);
    if (base < hidden_end) {
      for (var t = 0u; t < TOKENS; t++) {
        let positive = max(sum[t], vec4f(0.0));
        shared_tile[8u * TOKENS * column + row + 8u * t] = positive * positive;
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
            let value = shared_tile[8u * TOKENS * j + row + 8u * t];
            result[t][o] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
          }
        }
      }
      workgroupBarrier();
    } else {
      for (var o = 0u; o < OUTPUTS; o++) {
        for (var t = 0u; t < TOKENS; t++) {
          let token = token_of(group, row + 8u * t);
          if (token != NONE && output < VECTORS && o == output / 8u) { store(token, output, sum[t], result[t][o]); }
        }
      }
    }
  }
}
