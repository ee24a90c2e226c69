// Linear over channels, one token a pixel: y = sigmoid(gate) ⊙ f(x·W) + bias + residual; f is relu² from output
// channel `squared` on (the key of channel mix, eq. 6, computed together with the receptance).
// Two ways to tile: `throughRegisters` keeps all in a thread, `throughWorkgroup` shares tiles of x and W among 64 threads.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const TOKENS = 8u;          // tokens a thread
const OUTPUTS = 2u;         // vec4s of output channels a thread
const GATE = false;         // terms of a pipeline of their own: software devices compute both sides of a branch
const RESIDUAL = false;
const BIAS = false;

#include "lib/linearTerms.wgsl"

@compute @workgroup_size(64)
fn throughRegisters(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_token = group.x * 64u * TOKENS + lane;
  let first_output = group.y * OUTPUTS;
  var sum: array<array<vec4f, OUTPUTS>, TOKENS>;
  for (var k = 0u; k < p.inputs; k++) {
    var value: array<vec4f, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
      value[t] = load(min(first_token + t * 64u, p.tokens - 1u), k);
    }
    for (var o = 0u; o < OUTPUTS; o++) {
      let column = 4u * k * p.outputs + min(first_output + o, p.outputs - 1u);
      let w0 = weight[column];
      let w1 = weight[column + p.outputs];
      let w2 = weight[column + 2u * p.outputs];
      let w3 = weight[column + 3u * p.outputs];
      for (var t = 0u; t < TOKENS; t++) {
        sum[t][o] += value[t].x * w0 + value[t].y * w1 + value[t].z * w2 + value[t].w * w3;
      }
    }
  }
  // One token after the other, the rest moving up: software drivers take long to compile a store.
  let end = min(first_token + 64u * TOKENS, p.tokens);
  for (var token = first_token; token < end; token += 64u) {
    for (var o = 0u; o < OUTPUTS; o++) {
      if (first_output + o < p.outputs) { store(token, first_output + o, sum[0][o]); }
      for (var t = 0u; t < TOKENS - 1u; t++) { sum[t][o] = sum[t + 1u][o]; }
    }
  }
}

// 8 × 8 threads hold 8·TOKENS tokens by 8·OUTPUTS output vec4s, DEPTH input vec4s at a time.
const DEPTH = 4u;
var<workgroup> x_tile: array<array<vec4f, 8u * TOKENS>, DEPTH>;
var<workgroup> weight_tile: array<array<vec4f, 8u * OUTPUTS>, 4u * DEPTH>;

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let token_base = group.x * 8u * TOKENS;
  let output_base = group.y * 8u * OUTPUTS;
  let column = lane % 8u;
  let row = lane / 8u;
  var sum: array<array<vec4f, OUTPUTS>, TOKENS>;
  for (var k = 0u; k < p.inputs; k += DEPTH) {
    for (var i = lane; i < 8u * TOKENS * DEPTH; i += 64u) {
      let token = token_base + i / DEPTH;
      let input = k + i % DEPTH;
      var value = vec4f(0.0);
      if (token < p.tokens && input < p.inputs) { value = load(token, input); }
      x_tile[i % DEPTH][i / DEPTH] = value;
    }
    for (var i = lane; i < 32u * OUTPUTS * DEPTH; i += 64u) {
      let output = output_base + i % (8u * OUTPUTS);
      let input = 4u * k + i / (8u * OUTPUTS);
      var value = vec4f(0.0);
      if (output < p.outputs && input < 4u * p.inputs) { value = weight[input * p.outputs + output]; }
      weight_tile[i / (8u * OUTPUTS)][i % (8u * OUTPUTS)] = value;
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      var value: array<vec4f, TOKENS>;
      for (var t = 0u; t < TOKENS; t++) { value[t] = x_tile[d][row + 8u * t]; }
      for (var o = 0u; o < OUTPUTS; o++) {
        let w0 = weight_tile[4u * d][column + 8u * o];
        let w1 = weight_tile[4u * d + 1u][column + 8u * o];
        let w2 = weight_tile[4u * d + 2u][column + 8u * o];
        let w3 = weight_tile[4u * d + 3u][column + 8u * o];
        for (var t = 0u; t < TOKENS; t++) {
          sum[t][o] += value[t].x * w0 + value[t].y * w1 + value[t].z * w2 + value[t].w * w3;
        }
      }
    }
    workgroupBarrier();
  }
  for (var t = 0u; t < TOKENS; t++) {
    let token = token_base + row + 8u * t;
    for (var o = 0u; o < OUTPUTS; o++) {
      let output = output_base + column + 8u * o;
      if (token < p.tokens && output < p.outputs) { store(token, output, sum[t][o]); }
    }
  }
}
