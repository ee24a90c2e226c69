// Gradients of Bi-WKV, per channel with w = decay / T and u = bonus / T, given y and g = ∂L/∂y; the derivation is in
// src/kernels/biWkv.gradient.ts. With l_t the log of the denominator, gradients at token i are made of sums over the
// tokens t before it and after it, with d = |t − i| − 1:
//
//   A_i = Σ e^(−l_t − d·w) g_t   B_i = Σ e^(−l_t − d·w) g_t y_t   dA_i = Σ d e^(−l_t − d·w) g_t   dB_i alike
//
// They are the forward's recurrences, so they are cut into the forward's chunks:
//   denominatorStates  what the keys of each chunk add to the denominators after it and before it
//   scanChunks         combines chunks from both ends
//   gradientStates     l of every token; what each chunk adds to A, B, dA, dB after it and before it
//   scanChunks         the same for those
//   gradients          each chunk again, now with what arrives from both sides
// Sums are held relative to e^round(top), top being the log of their largest term. Differences of whole numbers are
// exact: what rounding does to top alters no sum, however many chunks join.
#include "lib/tokens.wgsl"
alias Lane = f32;           // channels a thread: f32 or vec4f
const CHUNK = 16u;          // most tokens in a chunk
const SEGMENTS = 16u;       // threads that share the scan over chunks
const GRADIENTS = false;    // scanChunks scans A, B, dA, dB; otherwise denominators, which stand in A's place
const EMPTY = -1e30;        // the top of no terms

struct Params {             // channels, offsets and strides in Lanes
  images: u32, height: u32, width: u32, channels: u32,
  columns: u32,             // 1: tokens run down the columns
  chunk: u32, chunks: u32,
  key_offset: u32, key_stride: u32,
  value_offset: u32, value_stride: u32,
  y_offset: u32, y_stride: u32,
  g_offset: u32, g_stride: u32,
  g_key_offset: u32, g_key_stride: u32,
  g_value_offset: u32, g_value_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> decay: array<Lane>;         // [channels]
@group(0) @binding(2) var<storage, read> bonus: array<Lane>;         // [channels]
@group(0) @binding(3) var<storage, read> key: array<Lane>;           // [images, height, width, channels]
@group(0) @binding(4) var<storage, read> value: array<Lane>;         // [images, height, width, channels]
@group(0) @binding(5) var<storage, read> y: array<Lane>;             // [images, height, width, channels]
@group(0) @binding(6) var<storage, read> g: array<Lane>;             // [images, height, width, channels]
@group(0) @binding(7) var<storage, read_write> g_key: array<Lane>;   // [images, height, width, channels], first g·y
@group(0) @binding(8) var<storage, read_write> g_value: array<Lane>; // [images, height, width, channels], first l
@group(0) @binding(9) var<storage, read_write> sums: array<Lane>;    // [2, 5, images, chunks, channels], see `sum_at`

// Fields of `sums`: A, B, dA, dB and their top, first what each chunk adds, after the scan what arrives at it, in
// direction 0 to or from the tokens in front, in direction 1 behind. At the end fields 0 and 1 hold the chunks' shares
// of ∂L/∂w and ∂L/∂u. A thread touches the fields of its own chunk and channel only.
const A = 0u;
const B = 1u;
const DISTANCE_A = 2u;
const DISTANCE_B = 3u;
const TOP = 4u;
fn sum_at(image: u32, direction: u32, field: u32, chunk: u32, channel: u32) -> u32 {
  return (((direction * 5u + field) * p.images + image) * p.chunks + chunk) * p.channels + channel;
}
fn key_at(at: u32, channel: u32) -> Lane { return key[p.key_offset + at * p.key_stride + channel]; }
fn g_key_at(at: u32, channel: u32) -> u32 { return p.g_key_offset + at * p.g_key_stride + channel; }
fn g_value_at(at: u32, channel: u32) -> u32 { return p.g_value_offset + at * p.g_value_stride + channel; }
fn g_at(at: u32, channel: u32) -> Lane { return g[p.g_offset + at * p.g_stride + channel]; }

@compute @workgroup_size(64)
fn denominatorStates(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let first = chunk * p.chunk;
  let count = min(p.chunk, tokens() - first);
  let fade = exp(-decay[channel] / f32(tokens()));

  var keys: array<Lane, CHUNK>;
  var top = Lane(EMPTY);
  for (var i = 0u; i < count; i++) {
    keys[i] = key_at(pixel(image, first + i), channel);
    top = max(top, keys[i]);
  }
  var ahead = Lane(0.0);
  var behind = Lane(0.0);
  var distance = Lane(1.0); // e^(−i·w)
  for (var i = 0u; i < count; i++) {
    let weight = exp(keys[i] - round(top));
    ahead = ahead * fade + weight;
    behind += distance * weight;
    distance *= fade;
  }
  sums[sum_at(image, 0u, A, chunk, channel)] = ahead;
  sums[sum_at(image, 0u, TOP, chunk, channel)] = top;
  sums[sum_at(image, 1u, A, chunk, channel)] = behind;
  sums[sum_at(image, 1u, TOP, chunk, channel)] = top;
}

// Sums over a run of chunks, and the run's length in tokens.
struct Run { a: Lane, b: Lane, distance_a: Lane, distance_b: Lane, top: Lane, length: f32 }
var<workgroup> runs: array<Run, 64>;

fn empty_run() -> Run { return Run(Lane(0.0), Lane(0.0), Lane(0.0), Lane(0.0), Lane(EMPTY), 0.0); }

// The run `near` follows `far` in the scan's direction: far's terms fade over near's tokens, and their distances grow.
fn join(far: Run, near: Run, w: Lane) -> Run {
  let fading = near.length * w;
  let top = max(far.top - fading, near.top);
  let keep = exp(round(far.top) - round(top) - fading);
  let add = exp(round(near.top) - round(top));
  var run = Run(far.a * keep + near.a * add, Lane(0.0), Lane(0.0), Lane(0.0), top, far.length + near.length);
  if (GRADIENTS) {
    run.b = far.b * keep + near.b * add;
    run.distance_a = (far.distance_a + near.length * far.a) * keep + near.distance_a * add;
    run.distance_b = (far.distance_b + near.length * far.b) * keep + near.distance_b * add;
  }
  return run;
}

fn chunk_run(image: u32, direction: u32, chunk: u32, channel: u32) -> Run {
  var run = empty_run();
  run.a = sums[sum_at(image, direction, A, chunk, channel)];
  if (GRADIENTS) {
    run.b = sums[sum_at(image, direction, B, chunk, channel)];
    run.distance_a = sums[sum_at(image, direction, DISTANCE_A, chunk, channel)];
    run.distance_b = sums[sum_at(image, direction, DISTANCE_B, chunk, channel)];
  }
  run.top = sums[sum_at(image, direction, TOP, chunk, channel)];
  run.length = f32(min(p.chunk, tokens() - chunk * p.chunk));
  return run;
}

// A workgroup scans 64 / SEGMENTS channels in one direction; id.y tells which.
@compute @workgroup_size(64)
fn scanChunks(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = 64u / SEGMENTS;
  let asked = group.x * width + lane % width;
  let channel = min(asked, p.channels - 1u);
  let segment = lane / width;
  let direction = group.y;
  let image = group.z;
  let w = decay[channel] / f32(tokens());
  let per_segment = (p.chunks + SEGMENTS - 1u) / SEGMENTS;
  let begin = segment * per_segment;
  let end = min(begin + per_segment, p.chunks);

  var run = empty_run();
  for (var i = begin; i < end; i++) {
    run = join(run, chunk_run(image, direction, select(i, p.chunks - 1u - i, direction == 1u), channel), w);
  }
  runs[lane] = run;
  workgroupBarrier();
  if (asked >= p.channels) { return; }

  run = empty_run();
  for (var s = 0u; s < segment; s++) { run = join(run, runs[s * width + lane % width], w); }
  for (var i = begin; i < end; i++) {
    let chunk = select(i, p.chunks - 1u - i, direction == 1u);
    let next = join(run, chunk_run(image, direction, chunk, channel), w);
    sums[sum_at(image, direction, A, chunk, channel)] = run.a;
    if (GRADIENTS) {
      sums[sum_at(image, direction, B, chunk, channel)] = run.b;
      sums[sum_at(image, direction, DISTANCE_A, chunk, channel)] = run.distance_a;
      sums[sum_at(image, direction, DISTANCE_B, chunk, channel)] = run.distance_b;
    }
    sums[sum_at(image, direction, TOP, chunk, channel)] = run.top;
    run = next;
  }
}

@compute @workgroup_size(64)
fn gradientStates(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let first = chunk * p.chunk;
  let count = min(p.chunk, tokens() - first);
  let fade = exp(-decay[channel] / f32(tokens()));
  let self_weight = exp(bonus[channel] / f32(tokens()));

  let before_scale = round(sums[sum_at(image, 0u, TOP, chunk, channel)]);
  let after_scale = round(sums[sum_at(image, 1u, TOP, chunk, channel)]);
  var scale = max(before_scale, after_scale);
  var weights: array<Lane, CHUNK>;
  for (var i = 0u; i < count; i++) {
    weights[i] = key_at(pixel(image, first + i), channel);
    scale = max(scale, round(weights[i]));
  }
  var after = sums[sum_at(image, 1u, A, chunk, channel)] * exp(after_scale - scale);
  var logs: array<Lane, CHUNK>;
  for (var j = 0u; j < count; j++) {
    let i = count - 1u - j;
    let weight = exp(weights[i] - scale);
    weights[i] = weight;
    logs[i] = after + self_weight * weight;
    after = after * fade + weight;
  }
  var before = sums[sum_at(image, 0u, A, chunk, channel)] * exp(before_scale - scale);
  var top = Lane(EMPTY);
  for (var i = 0u; i < count; i++) {
    logs[i] = scale + log(before + logs[i]);
    top = max(top, -logs[i]);
    before = before * fade + weights[i];
  }

  var ahead_a = Lane(0.0);
  var ahead_b = Lane(0.0);
  var ahead_distance_a = Lane(0.0);
  var ahead_distance_b = Lane(0.0);
  var behind_a = Lane(0.0);
  var behind_b = Lane(0.0);
  var behind_distance_a = Lane(0.0);
  var behind_distance_b = Lane(0.0);
  var distance = Lane(1.0); // e^(−i·w)
  for (var i = 0u; i < count; i++) {
    let at = pixel(image, first + i);
    let g_here = g_at(at, channel);
    let gy = g_here * y[p.y_offset + at * p.y_stride + channel];
    g_key[g_key_at(at, channel)] = gy;
    g_value[g_value_at(at, channel)] = logs[i];
    let weight = exp(-logs[i] - round(top));
    ahead_distance_a = fade * (ahead_distance_a + ahead_a);
    ahead_distance_b = fade * (ahead_distance_b + ahead_b);
    ahead_a = fade * ahead_a + weight * g_here;
    ahead_b = fade * ahead_b + weight * gy;
    let faded = distance * weight;
    behind_a += faded * g_here;
    behind_b += faded * gy;
    behind_distance_a += f32(i) * faded * g_here;
    behind_distance_b += f32(i) * faded * gy;
    distance *= fade;
  }
  sums[sum_at(image, 0u, A, chunk, channel)] = ahead_a;
  sums[sum_at(image, 0u, B, chunk, channel)] = ahead_b;
  sums[sum_at(image, 0u, DISTANCE_A, chunk, channel)] = ahead_distance_a;
  sums[sum_at(image, 0u, DISTANCE_B, chunk, channel)] = ahead_distance_b;
  sums[sum_at(image, 0u, TOP, chunk, channel)] = top;
  sums[sum_at(image, 1u, A, chunk, channel)] = behind_a;
  sums[sum_at(image, 1u, B, chunk, channel)] = behind_b;
  sums[sum_at(image, 1u, DISTANCE_A, chunk, channel)] = behind_distance_a;
  sums[sum_at(image, 1u, DISTANCE_B, chunk, channel)] = behind_distance_b;
  sums[sum_at(image, 1u, TOP, chunk, channel)] = top;
}

@compute @workgroup_size(64)
fn gradients(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let first = chunk * p.chunk;
  let count = min(p.chunk, tokens() - first);
  let fade = exp(-decay[channel] / f32(tokens()));
  let self_weight = exp(bonus[channel] / f32(tokens()));

  let before_scale = round(sums[sum_at(image, 0u, TOP, chunk, channel)]);
  let after_scale = round(sums[sum_at(image, 1u, TOP, chunk, channel)]);
  var scale = max(before_scale, after_scale);
  var weights: array<Lane, CHUNK>;
  for (var i = 0u; i < count; i++) {
    weights[i] = -g_value[g_value_at(pixel(image, first + i), channel)];
    scale = max(scale, round(weights[i]));
  }
  let after_factor = exp(after_scale - scale);
  var a = sums[sum_at(image, 1u, A, chunk, channel)] * after_factor;
  var b = sums[sum_at(image, 1u, B, chunk, channel)] * after_factor;
  var distance_a = sums[sum_at(image, 1u, DISTANCE_A, chunk, channel)] * after_factor;
  var distance_b = sums[sum_at(image, 1u, DISTANCE_B, chunk, channel)] * after_factor;
  var g_w = Lane(0.0);
  var g_u = Lane(0.0);
  var outers: array<Lane, CHUNK>;
  var after_a: array<Lane, CHUNK>;
  var after_b: array<Lane, CHUNK>;
  for (var j = 0u; j < count; j++) {
    let i = count - 1u - j;
    let at = pixel(image, first + i);
    outers[i] = exp(key_at(at, channel) + scale);
    let v = value[p.value_offset + at * p.value_stride + channel];
    g_w -= outers[i] * (v * distance_a - distance_b);
    after_a[i] = a;
    after_b[i] = b;
    let weight = exp(weights[i] - scale);
    weights[i] = weight;
    distance_a = fade * (distance_a + a);
    distance_b = fade * (distance_b + b);
    a = fade * a + weight * g_at(at, channel);
    b = fade * b + weight * g_key[g_key_at(at, channel)];
  }

  let before_factor = exp(before_scale - scale);
  a = sums[sum_at(image, 0u, A, chunk, channel)] * before_factor;
  b = sums[sum_at(image, 0u, B, chunk, channel)] * before_factor;
  distance_a = sums[sum_at(image, 0u, DISTANCE_A, chunk, channel)] * before_factor;
  distance_b = sums[sum_at(image, 0u, DISTANCE_B, chunk, channel)] * before_factor;
  for (var i = 0u; i < count; i++) {
    let at = pixel(image, first + i);
    let outer = outers[i];
    let v = value[p.value_offset + at * p.value_stride + channel];
    let g_here = g_at(at, channel);
    let gy = g_key[g_key_at(at, channel)];
    let own = self_weight * (outer * weights[i]);
    let gv = outer * (a + after_a[i]) + own * g_here;
    g_value[g_value_at(at, channel)] = gv;
    g_key[g_key_at(at, channel)] = v * gv - outer * (b + after_b[i]) - own * gy;
    g_w -= outer * (v * distance_a - distance_b);
    g_u += own * (v * g_here - gy);
    distance_a = fade * (distance_a + a);
    distance_b = fade * (distance_b + b);
    a = fade * a + weights[i] * g_here;
    b = fade * b + weights[i] * gy;
  }
  sums[sum_at(image, 0u, A, chunk, channel)] = g_w;
  sums[sum_at(image, 0u, B, chunk, channel)] = g_u;
}
