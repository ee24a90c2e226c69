enable subgroups;
// Linear over channels as in linear.wgsl, for processors that play GPU: there a load costs as much as dozens of
// multiply-adds, be its address the same for all threads or not. Each thread of a subgroup of eight loads another part of
// W, and all get it from there.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const TOKENS = 4u;          // tokens a thread
const PAIRS = 3u;           // pairs of vec4s of output channels a thread
const GATE = false;
const RESIDUAL = false;
const BIAS = false;
#include "lib/addProduct.wgsl"
#include "lib/linearTerms.wgsl"

@compute @workgroup_size(64)
fn throughSubgroups(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) within: u32,
) {
  let first_token = group.x * 64u * TOKENS + lane;
  let first_output = group.y * 2u * PAIRS;
  var sum: array<array<vec4f, 2u * PAIRS>, TOKENS>;
  for (var k = 0u; k < p.inputs; k++) {
    var value: array<vec4f, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
      value[t] = load(min(first_token + t * 64u, p.tokens - 1u), k);
    }
    for (var i = 0u; i < PAIRS; i++) {
      // Four rows of W, two vec4s of each.
      let column = min(first_output + 2u * i + within / 4u, p.outputs - 1u);
      let held = weight[(4u * k + within % 4u) * p.outputs + column];
      for (var half = 0u; half < 2u; half++) {
        let w0 = subgroupBroadcast(held, 4u * half);
        let w1 = subgroupBroadcast(held, 4u * half + 1u);
        let w2 = subgroupBroadcast(held, 4u * half + 2u);
        let w3 = subgroupBroadcast(held, 4u * half + 3u);
        for (var t = 0u; t < TOKENS; t++) {
          sum[t][2u * i + half] = addProduct(sum[t][2u * i + half], value[t], w0, w1, w2, w3);
        }
      }
    }
  }
  // One token after the other, the rest moving up: these drivers take long to compile a store, so that there are few.
  let end = min(first_token + 64u * TOKENS, p.tokens);
  for (var token = first_token; token < end; token += 64u) {
    for (var o = 0u; o < 2u * PAIRS; o++) {
      if (first_output + o < p.outputs) { store(token, first_output + o, sum[0][o]); }
      for (var t = 0u; t < TOKENS - 1u; t++) { sum[t][o] = sum[t + 1u][o]; }
    }
  }
}
