// Gradients of layer norm y = n ⊙ weight + bias, n = (x − mean)·s, s = 1/sqrt(variance + 1e-5), for g = ∂L/∂y and
// a = g ⊙ weight: ∂L/∂x = s(a − avg(a) − n avg(a ⊙ n)), ∂L/∂weight = Σ g ⊙ n and ∂L/∂bias = Σ g over tokens.
// LANES threads share a token and keep it in registers; each workgroup sums over a run of tokens.
const THREADS = 8u;
const LANES = 1u;
const VECTORS = 3u;         // vec4s of a token a thread: LANES · VECTORS ≥ vectors

struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, vectors: u32,
  runs: u32, run: u32,      // how many, of how many tokens
  x_offset: u32, x_stride: u32,
  g_offset: u32, g_stride: u32,
  gx_offset: u32, gx_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;                // [tokens, vectors]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;           // [vectors]
@group(0) @binding(3) var<storage, read> g: array<vec4f>;                // [tokens, vectors]
@group(0) @binding(4) var<storage, read_write> gx: array<vec4f>;         // [tokens, vectors]
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>;   // [runs, weight and bias, vectors]
@group(0) @binding(6) var<storage, read_write> gweight: array<vec4f>;    // [vectors]
@group(0) @binding(7) var<storage, read_write> gbias: array<vec4f>;      // [vectors]

var<workgroup> token_sums: array<vec4f, THREADS>;

// The sum of `value` over the LANES threads of a token. Every thread of the workgroup must call it.
fn total(lane: u32, value: vec4f) -> vec4f {
  if (LANES == 1u) { return value; }
  workgroupBarrier();
  token_sums[lane] = value;
  workgroupBarrier();
  var sum = vec4f(0.0);
  let first = lane - lane % LANES;
  for (var other = first; other < first + LANES; other++) { sum += token_sums[other]; }
  return sum;
}

var<workgroup> channel_sums: array<vec4f, THREADS * 2u * VECTORS>; // [VECTORS, weight and bias, THREADS]

@compute @workgroup_size(THREADS)
fn gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let count = 4.0 * f32(p.vectors);
  let member = lane % LANES;
  let end = min((group.x + 1u) * p.run, p.tokens);
  var weight_sum: array<vec4f, VECTORS>;
  var bias_sum: array<vec4f, VECTORS>;
  for (var first = group.x * p.run; first < end; first += THREADS / LANES) {
    let token = first + lane / LANES; // idle threads keep the barriers company, with zeros
    var value: array<vec4f, VECTORS>;
    var slope: array<vec4f, VECTORS>;
    var sum = vec4f(0.0);
    for (var i = 0u; i < VECTORS; i++) {
      let at = member + i * LANES;
      if (token < end && at < p.vectors) {
        value[i] = x[p.x_offset + token * p.x_stride + at];
        slope[i] = g[p.g_offset + token * p.g_stride + at];
      }
      sum += value[i];
    }
    let mean = dot(total(lane, sum), vec4f(1.0)) / count;

    var moments = vec4f(0.0); // sums of centred², a and a ⊙ centred
    for (var i = 0u; i < VECTORS; i++) {
      let at = member + i * LANES;
      if (at < p.vectors) {
        value[i] -= mean;
        let a = slope[i] * weight[at];
        moments += vec4f(dot(value[i], value[i]), dot(a, vec4f(1.0)), dot(a, value[i]), 0.0);
      }
    }
    let averages = total(lane, moments) / count;
    let scale = inverseSqrt(averages.x + 1e-5);

    for (var i = 0u; i < VECTORS; i++) {
      let at = member + i * LANES;
      if (token < end && at < p.vectors) {
        let n = value[i] * scale;
        let a = slope[i] * weight[at];
        gx[p.gx_offset + token * p.gx_stride + at] = scale * (a - averages.y - n * (scale * averages.z));
        weight_sum[i] += slope[i] * n;
        bias_sum[i] += slope[i];
      }
    }
  }
  for (var i = 0u; i < VECTORS; i++) {
    channel_sums[2u * i * THREADS + lane] = weight_sum[i];
    channel_sums[(2u * i + 1u) * THREADS + lane] = bias_sum[i];
  }
  workgroupBarrier();
  for (var entry = lane; entry < 2u * VECTORS * LANES; entry += THREADS) {
    var sum = vec4f(0.0);
    for (var thread = entry % LANES; thread < THREADS; thread += LANES) {
      sum += channel_sums[entry / LANES * THREADS + thread];
    }
    let at = entry % LANES + entry / LANES / 2u * LANES;
    if (at < p.vectors) { partials[(2u * group.x + entry / LANES % 2u) * p.vectors + at] = sum; }
  }
}

var<workgroup> run_sums: array<vec4f, 64>;

// A workgroup an entry of [weight and bias, vectors].
@compute @workgroup_size(64)
fn sumRuns(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4f(0.0);
  for (var run = lane; run < p.runs; run += 64u) { sum += partials[run * 2u * p.vectors + group.x]; }
  run_sums[lane] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { run_sums[lane] += run_sums[lane + half]; }
  }
  if (lane > 0u) { return; }
  if (group.x < p.vectors) { gweight[group.x] = run_sums[0]; } else { gbias[group.x - p.vectors] = run_sums[0]; }
}
