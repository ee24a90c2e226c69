// Bi-WKV, eq. 8, per channel with w = decay / T and u = bonus / T:
//
//   y_t = (before_t.n + after_t.n + e^(u + k_t) v_t) / (before_t.d + after_t.d + e^(u + k_t))
//   before_t = Σ_{i<t} e^(k_i − (t−1−i)w) (v_i, 1)      after_t = Σ_{i>t} e^(k_i − (i−t−1)w) (v_i, 1)
//
// Both sums are recurrences in t, cut into chunks of p.chunk tokens so that all chunks run at once:
//   chunkStates  what each chunk adds to the tokens after it and before it, relative to its largest key
//   scanChunks   combines chunks from both ends; running maxima keep every exponent in range
//   outputs      each chunk again, now with what arrives from both sides
// Within a chunk the position term stays within e^±20 (the caller chooses p.chunk), so that no maximum need run there.
#include "lib/sigmoid.wgsl"
#include "lib/tokens.wgsl"
alias Lane = f32;           // channels a thread: f32 or vec4f
const CHUNK = 16u;          // most tokens in a chunk
const SEGMENTS = 16u;       // threads that share the scan over chunks
const GATE = false;         // y = sigmoid(gate) ⊙ wkv, the product in eq. 4
const EMPTY = -1e30;        // the maximum of no keys

struct Params {             // channels, offsets and strides in Lanes
  height: u32, width: u32, channels: u32,
  columns: u32,             // 1: tokens run down the columns
  chunk: u32, chunks: u32,
  key_offset: u32, key_stride: u32,
  value_offset: u32, value_stride: u32,
  gate_offset: u32, gate_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> decay: array<Lane>;              // [channels]
@group(0) @binding(2) var<storage, read> bonus: array<Lane>;              // [channels]
@group(0) @binding(3) var<storage, read> key: array<Lane>;                // [N, height, width, channels]
@group(0) @binding(4) var<storage, read> value: array<Lane>;              // [N, height, width, channels]
@group(0) @binding(5) var<storage, read> gate: array<Lane>;               // [N, height, width, channels]
@group(0) @binding(6) var<storage, read_write> states: array<Lane>;       // [N, 5, chunks, channels]
@group(0) @binding(7) var<storage, read_write> carries: array<Lane>;      // [N, 2, 3, chunks, channels]
@group(0) @binding(8) var<storage, read_write> y: array<Lane>;            // [N, height, width, channels]

fn key_at(at: u32, channel: u32) -> Lane { return key[p.key_offset + at * p.key_stride + channel]; }
fn value_at(at: u32, channel: u32) -> Lane { return value[p.value_offset + at * p.value_stride + channel]; }
// Fields of a chunk's state: sums for the tokens after it (0, 1), before it (2, 3), and its largest key (4).
fn state_at(image: u32, field: u32, chunk: u32, channel: u32) -> u32 {
  return ((image * 5u + field) * p.chunks + chunk) * p.channels + channel;
}
// Fields of a carry: numerator, denominator and their logarithmic scale; direction 0 from before, 1 from after.
fn carry_at(image: u32, direction: u32, field: u32, chunk: u32, channel: u32) -> u32 {
  return (((image * 2u + direction) * 3u + field) * p.chunks + chunk) * p.channels + channel;
}

@compute @workgroup_size(64)
fn chunkStates(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let first = chunk * p.chunk;
  let count = min(p.chunk, tokens() - first);
  let fade = exp(-decay[channel] / f32(tokens()));

  var keys: array<Lane, CHUNK>;
  var largest = Lane(EMPTY);
  for (var i = 0u; i < count; i++) {
    keys[i] = key_at(pixel(image, first + i), channel);
    largest = max(largest, keys[i]);
  }
  var after_n = Lane(0.0);
  var after_d = Lane(0.0);
  var before_n = Lane(0.0);
  var before_d = Lane(0.0);
  var distance = Lane(1.0); // e^(−i·w)
  for (var i = 0u; i < count; i++) {
    let weight = exp(keys[i] - largest);
    let weighted = weight * value_at(pixel(image, first + i), channel);
    after_n = after_n * fade + weighted;
    after_d = after_d * fade + weight;
    before_n += distance * weighted;
    before_d += distance * weight;
    distance *= fade;
  }
  states[state_at(image, 0u, chunk, channel)] = after_n;
  states[state_at(image, 1u, chunk, channel)] = after_d;
  states[state_at(image, 2u, chunk, channel)] = before_n;
  states[state_at(image, 3u, chunk, channel)] = before_d;
  states[state_at(image, 4u, chunk, channel)] = largest;
}

// Sums over a run of chunks: n, d = Σ e^(… − scale), and the run's length in tokens.
struct Run { n: Lane, d: Lane, scale: Lane, length: f32 }
var<workgroup> runs: array<Run, 64>;

// The run `near` follows `far` in the scan's direction: what `far` holds fades over near's tokens.
fn join(far: Run, near: Run, w: Lane) -> Run {
  let faded = far.scale - near.length * w;
  let scale = max(faded, near.scale);
  let a = exp(faded - scale);
  let b = exp(near.scale - scale);
  return Run(far.n * a + near.n * b, far.d * a + near.d * b, scale, far.length + near.length);
}

fn chunk_run(image: u32, direction: u32, chunk: u32, channel: u32) -> Run {
  let length = min(p.chunk, tokens() - chunk * p.chunk);
  return Run(
    states[state_at(image, 2u * direction, chunk, channel)],
    states[state_at(image, 2u * direction + 1u, chunk, channel)],
    states[state_at(image, 4u, chunk, channel)],
    f32(length),
  );
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

  var run = Run(Lane(0.0), Lane(0.0), Lane(EMPTY), 0.0);
  for (var i = begin; i < end; i++) {
    run = join(run, chunk_run(image, direction, select(i, p.chunks - 1u - i, direction == 1u), channel), w);
  }
  runs[lane] = run;
  workgroupBarrier();
  if (asked >= p.channels) { return; }

  run = Run(Lane(0.0), Lane(0.0), Lane(EMPTY), 0.0);
  for (var s = 0u; s < segment; s++) { run = join(run, runs[s * width + lane % width], w); }
  for (var i = begin; i < end; i++) {
    let chunk = select(i, p.chunks - 1u - i, direction == 1u);
    carries[carry_at(image, direction, 0u, chunk, channel)] = run.n;
    carries[carry_at(image, direction, 1u, chunk, channel)] = run.d;
    carries[carry_at(image, direction, 2u, chunk, channel)] = run.scale;
    run = join(run, chunk_run(image, direction, chunk, channel), w);
  }
}

@compute @workgroup_size(64)
fn outputs(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let first = chunk * p.chunk;
  let count = min(p.chunk, tokens() - first);
  let fade = exp(-decay[channel] / f32(tokens()));
  let self_weight = exp(bonus[channel] / f32(tokens()));

  let before_scale = carries[carry_at(image, 0u, 2u, chunk, channel)];
  let after_scale = carries[carry_at(image, 1u, 2u, chunk, channel)];
  let scale = max(max(before_scale, after_scale), states[state_at(image, 4u, chunk, channel)]);
  let before_factor = exp(before_scale - scale);
  let after_factor = exp(after_scale - scale);

  var after_n = carries[carry_at(image, 1u, 0u, chunk, channel)] * after_factor;
  var after_d = carries[carry_at(image, 1u, 1u, chunk, channel)] * after_factor;
  var numerators: array<Lane, CHUNK>;
  var denominators: array<Lane, CHUNK>;
  for (var j = 0u; j < count; j++) {
    let i = count - 1u - j;
    let at = pixel(image, first + i);
    let weight = exp(key_at(at, channel) - scale);
    let own = self_weight * weight;
    let v = value_at(at, channel);
    numerators[i] = after_n + own * v;
    denominators[i] = after_d + own;
    after_n = after_n * fade + weight * v;
    after_d = after_d * fade + weight;
  }
  var before_n = carries[carry_at(image, 0u, 0u, chunk, channel)] * before_factor;
  var before_d = carries[carry_at(image, 0u, 1u, chunk, channel)] * before_factor;
  for (var i = 0u; i < count; i++) {
    let at = pixel(image, first + i);
    let weight = exp(key_at(at, channel) - scale);
    var wkv = (before_n + numerators[i]) / (before_d + denominators[i]);
    if (GATE) { wkv *= sigmoid(gate[p.gate_offset + at * p.gate_stride + channel]); }
    y[p.y_offset + at * p.y_stride + channel] = wkv;
    before_n = before_n * fade + weight * value_at(at, channel);
    before_d = before_d * fade + weight;
  }
}
