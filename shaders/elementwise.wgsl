// What fusion leaves over: y = a + b, a ⊙ b, a ⊙ scale, sigmoid(a) or relu(a)², one vec4 of channels a thread.
#include "lib/sigmoid.wgsl"
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const ADD = false;
const MUL = false;
const SCALE = false;
const SIGMOID = false;      // none of the four: relu²

struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, vectors: u32,
  a_offset: u32, a_stride: u32,
  b_offset: u32, b_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<Stored>;      // [tokens, vectors]
@group(0) @binding(2) var<storage, read> b: array<Stored>;      // [tokens, vectors]
@group(0) @binding(3) var<storage, read> scale: array<vec4f>;   // [vectors]
@group(0) @binding(4) var<storage, read_write> y: array<Stored>; // [tokens, vectors]

@compute @workgroup_size(64)
fn elementwise(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x;
  let channel = id.y;
  if (at >= p.tokens) { return; }
  let left = widened(a[p.a_offset + at * p.a_stride + channel]);
  var result: vec4f;
  if (ADD) {
    result = left + widened(b[p.b_offset + at * p.b_stride + channel]);
  } else if (MUL) {
    result = left * widened(b[p.b_offset + at * p.b_stride + channel]);
  } else if (SCALE) {
    result = left * scale[channel];
  } else if (SIGMOID) {
    result = sigmoid(left);
  } else {
    let positive = max(left, vec4f(0.0));
    result = positive * positive;
  }
  y[p.y_offset + at * p.y_stride + channel] = narrowed(result);
}
