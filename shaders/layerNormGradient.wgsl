// Gradients of layer norm y = n ⊙ weight + bias, n = (x − mean)·s, s = 1/sqrt(variance + 1e-5), for g = ∂L/∂y and
// a = g ⊙ weight: ∂L/∂x = s(a − avg(a) − n avg(a ⊙ n)), token by token; ∂L/∂weight = Σ g ⊙ n and ∂L/∂bias = Σ g over
// tokens, first by threads of a channel each, then of all.
const THREADS = 8u;         // of a workgroup
const LANES = 1u;           // threads that share a token, for ∂L/∂x

struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, vectors: u32,
  run: u32, runs: u32,      // tokens that a thread sums over, and how many such runs there are
  x_offset: u32, x_stride: u32,
  g_offset: u32, g_stride: u32,
  gx_offset: u32, gx_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;             // [tokens, vectors]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;        // [vectors]
@group(0) @binding(3) var<storage, read> g: array<vec4f>;             // [tokens, vectors]
@group(0) @binding(4) var<storage, read_write> gx: array<vec4f>;      // [tokens, vectors]
@group(0) @binding(5) var<storage, read_write> partials: array<vec2f>; // [tokens] mean and s, [runs, 2, 2·vectors] sums
@group(0) @binding(6) var<storage, read_write> gweight: array<vec2f>; // [2·vectors]
@group(0) @binding(7) var<storage, read_write> gbias: array<vec2f>;   // [2·vectors]

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

@compute @workgroup_size(THREADS)
fn inputGradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * 65535u + group.x) * (THREADS / LANES) + lane / LANES;
  let token = min(index, p.tokens - 1u); // idle threads keep the barriers company
  let x_start = p.x_offset + token * p.x_stride;
  let g_start = p.g_offset + token * p.g_stride;
  let count = 4.0 * f32(p.vectors);

  var sum = vec4f(0.0);
  for (var i = lane % LANES; i < p.vectors; i += LANES) { sum += x[x_start + i]; }
  let mean = dot(total(lane, sum), vec4f(1.0)) / count;

  var squares = vec4f(0.0);
  var a_sum = vec4f(0.0);
  var products = vec4f(0.0); // of a and x − mean
  for (var i = lane % LANES; i < p.vectors; i += LANES) {
    let centred = x[x_start + i] - mean;
    let a = g[g_start + i] * weight[i];
    squares += centred * centred;
    a_sum += a;
    products += a * centred;
  }
  let one = vec4f(1.0);
  let averages = total(lane, vec4f(dot(squares, one), dot(a_sum, one), dot(products, one), 0.0)) / count;
  let scale = inverseSqrt(averages.x + 1e-5);

  if (index >= p.tokens) { return; }
  if (lane % LANES == 0u) { partials[token] = vec2f(mean, scale); }
  for (var i = lane % LANES; i < p.vectors; i += LANES) {
    let n = (x[x_start + i] - mean) * scale;
    let a = g[g_start + i] * weight[i];
    gx[p.gx_offset + token * p.gx_stride + i] = scale * (a - averages.y - n * (scale * averages.z));
  }
}

@compute @workgroup_size(THREADS)
fn channelSums(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * 65535u + group.x) * THREADS + lane;
  let at = index % p.vectors;
  let run = index / p.vectors;
  if (run >= p.runs) { return; }
  let end = min((run + 1u) * p.run, p.tokens);
  var weight_sum = vec4f(0.0);
  var bias_sum = vec4f(0.0);
  for (var token = run * p.run; token < end; token++) {
    let mean_and_scale = partials[token];
    let slope = g[p.g_offset + token * p.g_stride + at];
    weight_sum += slope * ((x[p.x_offset + token * p.x_stride + at] - mean_and_scale.x) * mean_and_scale.y);
    bias_sum += slope;
  }
  let row = p.tokens + run * 4u * p.vectors + 2u * at;
  partials[row] = weight_sum.xy;
  partials[row + 1u] = weight_sum.zw;
  partials[row + 2u * p.vectors] = bias_sum.xy;
  partials[row + 2u * p.vectors + 1u] = bias_sum.zw;
}

var<workgroup> run_sums: array<vec2f, THREADS>;

// A workgroup two channels of [weight and bias, 2·vectors].
@compute @workgroup_size(THREADS)
fn sumRuns(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = vec2f(0.0);
  for (var run = lane; run < p.runs; run += THREADS) { sum += partials[p.tokens + run * 4u * p.vectors + group.x]; }
  run_sums[lane] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { run_sums[lane] += run_sums[lane + half]; }
  }
  if (lane > 0u) { return; }
  let width = 2u * p.vectors;
  if (group.x < width) { gweight[group.x] = run_sums[0]; } else { gbias[group.x - width] = run_sums[0]; }
}
