enable subgroups;
// Channel mix as in channelMix.wgsl, for processors that play GPU: a thread keeps its tokens and their result in
// registers and goes through the hidden channels one vec4 at a time. A load costs as much there as dozens of
// multiply-adds; each thread of a subgroup of eight loads another part of W, and all get it from there.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const TOKENS = 4u;          // tokens a thread
const PAIRS = 3u;           // pairs of vec4s that a token's channels take
#include "lib/addProduct.wgsl"
#include "lib/channelMixTerms.wgsl"

@compute @workgroup_size(64)
fn throughSubgroups(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) within: u32,
) {
  let first_token = group.x * 64u * TOKENS + lane;
  var value: array<array<vec4f, 2u * PAIRS>, TOKENS>;
  var result: array<array<vec4f, 2u * PAIRS>, TOKENS>;
  // One token after the other, the rest moving up: these drivers take long to compile a load, so that there are few.
  for (var token = first_token; token < first_token + 64u * TOKENS; token += 64u) {
    for (var i = 0u; i < 2u * PAIRS; i++) {
      for (var t = 0u; t < TOKENS - 1u; t++) { value[t][i] = value[t + 1u][i]; }
      if (i < p.vectors) { value[TOKENS - 1u][i] = widened(x[p.x_offset + min(token, p.tokens - 1u) * p.x_stride + i]); }
    }
  }
  let columns = p.vectors + p.hidden;
  // The receptance waits in y until the result is there.
  for (var column = 0u; column < p.vectors; column++) {
    var sum: array<vec4f, TOKENS>;
    for (var i = 0u; i < PAIRS; i++) {
      let row = min(8u * i + within, 4u * p.vectors - 1u); // beyond the last, value is zero
      let held = inward[row * columns + column];
      for (var half = 0u; half < 2u; half++) {
        let w0 = subgroupBroadcast(held, 4u * half);
        let w1 = subgroupBroadcast(held, 4u * half + 1u);
        let w2 = subgroupBroadcast(held, 4u * half + 2u);
        let w3 = subgroupBroadcast(held, 4u * half + 3u);
        for (var t = 0u; t < TOKENS; t++) {
          sum[t] = addProduct(sum[t], value[t][2u * i + half], w0, w1, w2, w3);
        }
      }
    }
    for (var t = 0u; t < TOKENS; t++) {
      let token = first_token + t * 64u;
      if (token < p.tokens) { y[p.y_offset + token * p.y_stride + column] = narrowed(sum[t]); }
    }
  }
  for (var hidden = 0u; hidden < p.hidden; hidden++) {
    var sum: array<vec4f, TOKENS>;
    for (var i = 0u; i < PAIRS; i++) {
      let row = min(8u * i + within, 4u * p.vectors - 1u); // beyond the last, value is zero
      let held = inward[row * columns + p.vectors + hidden];
      for (var half = 0u; half < 2u; half++) {
        let w0 = subgroupBroadcast(held, 4u * half);
        let w1 = subgroupBroadcast(held, 4u * half + 1u);
        let w2 = subgroupBroadcast(held, 4u * half + 2u);
        let w3 = subgroupBroadcast(held, 4u * half + 3u);
        for (var t = 0u; t < TOKENS; t++) {
          sum[t] = addProduct(sum[t], value[t][2u * i + half], w0, w1, w2, w3);
        }
      }
    }
    for (var t = 0u; t < TOKENS; t++) {
      let positive = max(sum[t], vec4f(0.0));
      sum[t] = positive * positive;
    }
    for (var i = 0u; i < PAIRS; i++) {
      let held = outward[(4u * hidden + within % 4u) * p.vectors + min(2u * i + within / 4u, p.vectors - 1u)];
      for (var half = 0u; half < 2u; half++) {
        let w0 = subgroupBroadcast(held, 4u * half);
        let w1 = subgroupBroadcast(held, 4u * half + 1u);
        let w2 = subgroupBroadcast(held, 4u * half + 2u);
        let w3 = subgroupBroadcast(held, 4u * half + 3u);
        for (var t = 0u; t < TOKENS; t++) {
          result[t][2u * i + half] = addProduct(result[t][2u * i + half], sum[t], w0, w1, w2, w3);
        }
      }
    }
  }
  let end = min(first_token + 64u * TOKENS, p.tokens);
  for (var token = first_token; token < end; token += 64u) {
    for (var o = 0u; o < 2u * PAIRS; o++) {
      if (o < p.vectors) { store(token, o, widened(y[p.y_offset + token * p.y_stride + o]), result[0][o]); }
      for (var t = 0u; t < TOKENS - 1u; t++) { result[t][o] = result[t + 1u][o]; }
    }
  }
}
