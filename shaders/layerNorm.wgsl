// Layer norm over channels: y = (x − mean) / sqrt(variance + 1e-5) ⊙ weight + bias, biased variance.
// LANES threads share a token. Padding channels hold zero in x, weight and bias, and stay zero.
const LANES = 1u;
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"

struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, vectors: u32,
  channels: u32,            // the true count, without padding
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;      // [tokens, vectors]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;  // [vectors]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;    // [vectors]
@group(0) @binding(4) var<storage, read_write> y: array<Stored>; // [tokens, vectors]

var<workgroup> partial: array<f32, 64>;

// The sum of `value` over the LANES threads of a token. Every thread of the workgroup must call it.
fn total(lane: u32, value: f32) -> f32 {
  if (LANES == 1u) { return value; }
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  let first = lane - lane % LANES;
  for (var i = 0u; i < LANES; i++) { sum += partial[first + i]; }
  return sum;
}

@compute @workgroup_size(64)
fn normalise(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * 65535u + group.x) * (64u / LANES) + lane / LANES;
  let token = min(index, p.tokens - 1u); // idle threads keep the barriers company
  let start = p.x_offset + token * p.x_stride;
  let count = f32(p.channels);

  var sum = vec4f(0.0);
  for (var i = lane % LANES; i < p.vectors; i += LANES) { sum += widened(x[start + i]); }
  let mean = total(lane, dot(sum, vec4f(1.0))) / count;

  var squares = 0.0;
  for (var i = lane % LANES; i < p.vectors; i += LANES) {
    let centred = widened(x[start + i]) - mean;
    squares += dot(centred, centred);
  }
  let padding = f32(4u * p.vectors) - count;
  let variance = max(total(lane, squares) - padding * mean * mean, 0.0) / count;
  let scale = inverseSqrt(variance + 1e-5);

  if (index >= p.tokens) { return; }
  for (var i = lane % LANES; i < p.vectors; i += LANES) {
    y[p.y_offset + token * p.y_stride + i] = narrowed((widened(x[start + i]) - mean) * scale * weight[i] + bias[i]);
  }
}
