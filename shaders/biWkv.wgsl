// Bi-WKV, eq. 8, per channel with w = decay / T and u = bonus / T:
//
//   y_t = (before_t.n + after_t.n + e^(u + k_t) v_t) / (before_t.d + after_t.d + e^(u + k_t))
//   before_t = Σ_{i<t} e^(k_i − (t−1−i)w) (v_i, 1)      after_t = Σ_{i>t} e^(k_i − (i−t−1)w) (v_i, 1)
//
// Both sums are recurrences in t, cut into chunks of p.chunk tokens so that all chunks run at once:
//   chunkStates  what each chunk adds to the tokens after it and before it, relative to its largest key
//   scanChunks   combines chunks from both ends; running maxima keep every exponent in range
//   outputs      each chunk again, now with what arrives from both sides
// A sequence short enough goes through all three at once in `wholeSequence`. Within a chunk the position term stays
// within e^±20 (the caller chooses p.chunk), so that no maximum need run there. A thread works on BLOCK tokens at a time.
#include "lib/sigmoid.wgsl"
#include "lib/tokens.wgsl"
alias Lane = f32;           // channels a thread: f32 or vec4f
alias Stored = f32;         // an activation in memory: the same, f16 or vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const BLOCK = 4u;           // tokens that are held in registers
const BLOCKS = 4u;          // most blocks in a chunk
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
@group(0) @binding(3) var<storage, read> key: array<Stored>;                // [N, height, width, channels]
@group(0) @binding(4) var<storage, read> value: array<Stored>;              // [N, height, width, channels]
@group(0) @binding(5) var<storage, read> gate: array<Stored>;               // [N, height, width, channels]
@group(0) @binding(6) var<storage, read_write> states: array<Lane>;       // [N, 5, chunks, channels]
@group(0) @binding(7) var<storage, read_write> carries: array<Lane>;      // [N, 2, 3, chunks, channels]
@group(0) @binding(8) var<storage, read_write> y: array<Stored>;            // [N, height, width, channels]

fn key_at(at: u32, channel: u32) -> Lane { return widened(key[p.key_offset + at * p.key_stride + channel]); }
fn value_at(at: u32, channel: u32) -> Lane { return widened(value[p.value_offset + at * p.value_stride + channel]); }
// Fields of a chunk's state: sums for the tokens after it (0, 1), before it (2, 3), and its largest key (4).
fn state_at(image: u32, field: u32, chunk: u32, channel: u32) -> u32 {
  return ((image * 5u + field) * p.chunks + chunk) * p.channels + channel;
}
// Fields of a carry: numerator, denominator and their logarithmic scale; direction 0 from before, 1 from after.
fn carry_at(image: u32, direction: u32, field: u32, chunk: u32, channel: u32) -> u32 {
  return (((image * 2u + direction) * 3u + field) * p.chunks + chunk) * p.channels + channel;
}

// The blocks of a chunk; tokens beyond its end, or the sequence's, count nothing.
fn blocks() -> u32 { return (p.chunk + BLOCK - 1u) / BLOCK; }
fn is_token(first: u32, i: u32) -> bool { return i < p.chunk && first + i < tokens(); }
fn place_of(image: u32, first: u32, i: u32) -> u32 { return pixel(image, min(first + i, tokens() - 1u)); }

// What a chunk adds to the tokens after it and before it, relative to its largest key.
struct State { after_n: Lane, after_d: Lane, before_n: Lane, before_d: Lane, largest: Lane }

fn state_of(image: u32, first: u32, channel: u32) -> State {
  let fade = exp(-decay[channel] / f32(tokens()));
  var state = State(Lane(0.0), Lane(0.0), Lane(0.0), Lane(0.0), Lane(EMPTY));
  var distance = Lane(1.0); // e^(−i·w)
  for (var b = 0u; b < blocks(); b++) {
    var keys: array<Lane, BLOCK>;
    var largest = state.largest;
    for (var i = 0u; i < BLOCK; i++) {
      let read = key_at(place_of(image, first, b * BLOCK + i), channel);
      keys[i] = select(Lane(EMPTY), read, is_token(first, b * BLOCK + i));
      largest = max(largest, keys[i]);
    }
    let rescale = exp(state.largest - largest);
    state.after_n *= rescale;
    state.after_d *= rescale;
    state.before_n *= rescale;
    state.before_d *= rescale;
    state.largest = largest;
    for (var i = 0u; i < BLOCK; i++) {
      if (is_token(first, b * BLOCK + i)) {
        let weight = exp(keys[i] - largest);
        let weighted = weight * value_at(place_of(image, first, b * BLOCK + i), channel);
        state.after_n = state.after_n * fade + weighted;
        state.after_d = state.after_d * fade + weight;
        state.before_n += distance * weighted;
        state.before_d += distance * weight;
        distance *= fade;
      }
    }
  }
  return state;
}

@compute @workgroup_size(64)
fn chunkStates(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let state = state_of(image, chunk * p.chunk, channel);
  states[state_at(image, 0u, chunk, channel)] = state.after_n;
  states[state_at(image, 1u, chunk, channel)] = state.after_d;
  states[state_at(image, 2u, chunk, channel)] = state.before_n;
  states[state_at(image, 3u, chunk, channel)] = state.before_d;
  states[state_at(image, 4u, chunk, channel)] = state.largest;
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

// The results of a chunk's tokens, given what arrives from before and after, and its largest key.
fn write_outputs(image: u32, first: u32, channel: u32, before: Run, after: Run, largest: Lane) {
  let fade = exp(-decay[channel] / f32(tokens()));
  let own = exp(bonus[channel] / f32(tokens()));
  let scale = max(max(before.scale, after.scale), largest);

  // From the end: what arrives at each block from after it.
  let after_factor = exp(after.scale - scale);
  var after_n = after.n * after_factor;
  var after_d = after.d * after_factor;
  var arriving_n: array<Lane, BLOCKS>;
  var arriving_d: array<Lane, BLOCKS>;
  for (var back = 1u; back <= blocks(); back++) {
    let b = blocks() - back;
    arriving_n[b] = after_n;
    arriving_d[b] = after_d;
    for (var i = 0u; i < BLOCK; i++) {
      let token = b * BLOCK + BLOCK - 1u - i;
      if (is_token(first, token)) {
        let at = pixel(image, first + token);
        let weight = exp(key_at(at, channel) - scale);
        after_n = after_n * fade + weight * value_at(at, channel);
        after_d = after_d * fade + weight;
      }
    }
  }
  let before_factor = exp(before.scale - scale);
  var before_n = before.n * before_factor;
  var before_d = before.d * before_factor;
  for (var b = 0u; b < blocks(); b++) {
    var weights: array<Lane, BLOCK>;
    var weighted: array<Lane, BLOCK>;
    for (var i = 0u; i < BLOCK; i++) {
      if (is_token(first, b * BLOCK + i)) {
        let at = pixel(image, first + b * BLOCK + i);
        weights[i] = exp(key_at(at, channel) - scale);
        weighted[i] = weights[i] * value_at(at, channel);
      }
    }
    var numerators: array<Lane, BLOCK>;
    var denominators: array<Lane, BLOCK>;
    after_n = arriving_n[b];
    after_d = arriving_d[b];
    for (var i = 0u; i < BLOCK; i++) {
      numerators[BLOCK - 1u - i] = after_n + own * weighted[BLOCK - 1u - i];
      denominators[BLOCK - 1u - i] = after_d + own * weights[BLOCK - 1u - i];
      if (is_token(first, b * BLOCK + BLOCK - 1u - i)) {
        after_n = after_n * fade + weighted[BLOCK - 1u - i];
        after_d = after_d * fade + weights[BLOCK - 1u - i];
      }
    }
    for (var i = 0u; i < BLOCK; i++) {
      if (is_token(first, b * BLOCK + i)) {
        let at = pixel(image, first + b * BLOCK + i);
        var wkv = (before_n + numerators[i]) / (before_d + denominators[i]);
        if (GATE) { wkv *= sigmoid(widened(gate[p.gate_offset + at * p.gate_stride + channel])); }
        y[p.y_offset + at * p.y_stride + channel] = narrowed(wkv);
        before_n = before_n * fade + weighted[i];
        before_d = before_d * fade + weights[i];
      }
    }
  }
}

fn carried(image: u32, direction: u32, chunk: u32, channel: u32) -> Run {
  return Run(
    carries[carry_at(image, direction, 0u, chunk, channel)], carries[carry_at(image, direction, 1u, chunk, channel)],
    carries[carry_at(image, direction, 2u, chunk, channel)], 0.0,
  );
}

@compute @workgroup_size(64)
fn outputs(@builtin(global_invocation_id) id: vec3u) {
  let chunk = id.x / p.channels;
  let channel = id.x % p.channels;
  let image = id.y;
  if (chunk >= p.chunks) { return; }
  let largest = states[state_at(image, 4u, chunk, channel)];
  let before = carried(image, 0u, chunk, channel);
  let after = carried(image, 1u, chunk, channel);
  write_outputs(image, chunk * p.chunk, channel, before, after, largest);
}

const THREADS = 64u;
var<workgroup> before_runs: array<Run, THREADS>;
var<workgroup> after_runs: array<Run, THREADS>;

// A workgroup takes a channel's whole sequence, each thread a chunk.
@compute @workgroup_size(THREADS)
fn wholeSequence(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) chunk: u32) {
  let channel = group.x;
  let image = group.y;
  let first = chunk * p.chunk;
  let w = decay[channel] / f32(tokens());
  let length = f32(clamp(tokens(), first, first + p.chunk) - first);
  let state = state_of(image, first, channel);
  // What the chunk and, step by step, ever more of those before it leave to what follows; and the other way round.
  var before = Run(state.after_n, state.after_d, state.largest, length);
  var after = Run(state.before_n, state.before_d, state.largest, length);
  before_runs[chunk] = before;
  after_runs[chunk] = after;
  workgroupBarrier();
  for (var step = 1u; step < p.chunks; step *= 2u) {
    if (chunk >= step) { before = join(before_runs[chunk - step], before, w); }
    if (chunk + step < p.chunks) { after = join(after_runs[chunk + step], after, w); }
    workgroupBarrier();
    before_runs[chunk] = before;
    after_runs[chunk] = after;
    workgroupBarrier();
  }
  before = Run(Lane(0.0), Lane(0.0), Lane(EMPTY), 0.0);
  after = before;
  if (chunk > 0u) { before = before_runs[chunk - 1u]; }
  if (chunk + 1u < p.chunks) { after = after_runs[chunk + 1u]; }
  if (chunk < p.chunks) { write_outputs(image, first, channel, before, after, state.largest); }
}
