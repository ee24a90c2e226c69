// Gradients of y = x·W over channels for g = ∂L/∂y: ∂L/∂x = g·Wᵀ, the weight read along its rows, and ∂L/∂W = Σ xᵀg
// over tokens, each workgroup a part of them. Either tiled in two ways: `…ThroughRegisters` keeps all in a thread,
// `…ThroughWorkgroup` shares tiles through workgroup memory.
const TOKENS = 8u;          // tokens a thread, for ∂L/∂x
const INPUTS = 3u;          // vec4s of input channels a thread
const OUTPUTS = 3u;         // vec4s of output channels a thread, for ∂L/∂W through registers
const LANES = 8u;           // threads of a workgroup, through registers

struct Params {             // lengths, offsets and strides in vec4s
  tokens: u32, inputs: u32, outputs: u32,
  run: u32,                 // tokens a workgroup sums over, for ∂L/∂W
  x_offset: u32, x_stride: u32,
  g_offset: u32, g_stride: u32,
  gx_offset: u32, gx_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;              // [tokens, inputs]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;         // [4·inputs, outputs]
@group(0) @binding(3) var<storage, read> g: array<vec4f>;              // [tokens, outputs]
@group(0) @binding(4) var<storage, read_write> gx: array<vec4f>;       // [tokens, inputs]
@group(0) @binding(5) var<storage, read_write> partials: array<vec4f>; // [runs, 4·inputs, outputs]

// The vec4s of four neighbouring rows of W as columns: v * rowsOfWeight(…) is v·Wᵀ for their four inputs.
fn rowsOfWeight(input: u32, output: u32) -> mat4x4f {
  let at = 4u * input * p.outputs + output;
  return mat4x4f(weight[at], weight[at + p.outputs], weight[at + 2u * p.outputs], weight[at + 3u * p.outputs]);
}

@compute @workgroup_size(LANES)
fn inputThroughRegisters(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_token = (group.z * 65535u + group.x) * LANES * TOKENS + lane;
  let first_input = group.y * INPUTS;
  var sum: array<array<vec4f, INPUTS>, TOKENS>;
  for (var k = 0u; k < p.outputs; k++) {
    var value: array<vec4f, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
      value[t] = g[p.g_offset + min(first_token + t * LANES, p.tokens - 1u) * p.g_stride + k];
    }
    for (var i = 0u; i < INPUTS; i++) {
      let w = rowsOfWeight(min(first_input + i, p.inputs - 1u), k);
      for (var t = 0u; t < TOKENS; t++) { sum[t][i] += value[t] * w; }
    }
  }
  for (var t = 0u; t < TOKENS; t++) {
    let token = first_token + t * LANES;
    for (var i = 0u; i < INPUTS; i++) {
      if (token < p.tokens && first_input + i < p.inputs) {
        gx[p.gx_offset + token * p.gx_stride + first_input + i] = sum[t][i];
      }
    }
  }
}

// 8 × 8 threads hold 8·TOKENS tokens by 8·INPUTS input vec4s, DEPTH output vec4s at a time.
const DEPTH = 4u;
var<workgroup> g_depth: array<array<vec4f, 8u * TOKENS>, DEPTH>;
var<workgroup> weight_depth: array<array<vec4f, 8u * INPUTS>, 4u * DEPTH>;

@compute @workgroup_size(64)
fn inputThroughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let token_base = (group.z * 65535u + group.x) * 8u * TOKENS;
  let input_base = group.y * 8u * INPUTS;
  let column = lane % 8u;
  let row = lane / 8u;
  var sum: array<array<vec4f, INPUTS>, TOKENS>;
  for (var k = 0u; k < p.outputs; k += DEPTH) {
    for (var at = lane; at < 8u * TOKENS * DEPTH; at += 64u) {
      let token = token_base + at / DEPTH;
      let output = k + at % DEPTH;
      var value = vec4f(0.0);
      if (token < p.tokens && output < p.outputs) { value = g[p.g_offset + token * p.g_stride + output]; }
      g_depth[at % DEPTH][at / DEPTH] = value;
    }
    for (var at = lane; at < 32u * INPUTS * DEPTH; at += 64u) {
      let input = 4u * input_base + at / DEPTH;
      let output = k + at % DEPTH;
      var value = vec4f(0.0);
      if (input < 4u * p.inputs && output < p.outputs) { value = weight[input * p.outputs + output]; }
      weight_depth[at % DEPTH * 4u + at / DEPTH % 4u][at / DEPTH / 4u] = value;
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      var value: array<vec4f, TOKENS>;
      for (var t = 0u; t < TOKENS; t++) { value[t] = g_depth[d][row + 8u * t]; }
      for (var i = 0u; i < INPUTS; i++) {
        let w = mat4x4f(
          weight_depth[4u * d][column + 8u * i], weight_depth[4u * d + 1u][column + 8u * i],
          weight_depth[4u * d + 2u][column + 8u * i], weight_depth[4u * d + 3u][column + 8u * i],
        );
        for (var t = 0u; t < TOKENS; t++) { sum[t][i] += value[t] * w; }
      }
    }
    workgroupBarrier();
  }
  for (var t = 0u; t < TOKENS; t++) {
    let token = token_base + row + 8u * t;
    for (var i = 0u; i < INPUTS; i++) {
      let input = input_base + column + 8u * i;
      if (token < p.tokens && input < p.inputs) { gx[p.gx_offset + token * p.gx_stride + input] = sum[t][i]; }
    }
  }
}

var<workgroup> lane_sums: array<vec4f, LANES * 4u * INPUTS * OUTPUTS>;

// A thread holds the whole tile for tokens of its own, and the threads' tiles are added at the end.
@compute @workgroup_size(LANES)
fn weightThroughRegisters(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_output = group.x * OUTPUTS;
  let first_input = group.y * INPUTS;
  let end = min((group.z + 1u) * p.run, p.tokens);
  var sum: array<array<vec4f, OUTPUTS>, 4u * INPUTS>;
  for (var token = group.z * p.run + lane; token < end; token += LANES) {
    var value: array<vec4f, OUTPUTS>;
    for (var o = 0u; o < OUTPUTS; o++) {
      value[o] = g[p.g_offset + token * p.g_stride + min(first_output + o, p.outputs - 1u)];
    }
    for (var i = 0u; i < INPUTS; i++) {
      let v = x[p.x_offset + token * p.x_stride + min(first_input + i, p.inputs - 1u)];
      for (var c = 0u; c < 4u; c++) {
        for (var o = 0u; o < OUTPUTS; o++) { sum[4u * i + c][o] += v[c] * value[o]; }
      }
    }
  }
  for (var i = 0u; i < 4u * INPUTS; i++) {
    for (var o = 0u; o < OUTPUTS; o++) { lane_sums[(i * OUTPUTS + o) * LANES + lane] = sum[i][o]; }
  }
  workgroupBarrier();
  for (var at = lane; at < 4u * INPUTS * OUTPUTS; at += LANES) {
    var total = vec4f(0.0);
    for (var other = 0u; other < LANES; other++) { total += lane_sums[at * LANES + other]; }
    let row = 4u * first_input + at / OUTPUTS;
    let column = first_output + at % OUTPUTS;
    if (row < 4u * p.inputs && column < p.outputs) {
      partials[(group.z * 4u * p.inputs + row) * p.outputs + column] = total;
    }
  }
}

// SLICES × ROWS × COLUMNS threads: each holds one input vec4 by one output vec4 for every SLICES-th of CHUNK tokens.
const ROWS = 3u;
const COLUMNS = 3u;
const SLICES = 28u;
const THREADS = 252u;
const CHUNK = 84u;
var<workgroup> x_chunk: array<vec4f, CHUNK * ROWS>;
var<workgroup> g_chunk: array<vec4f, CHUNK * COLUMNS>;
var<workgroup> slice_sums: array<vec4f, THREADS>;

@compute @workgroup_size(THREADS)
fn weightThroughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let output_base = group.x * COLUMNS;
  let input_base = group.y * ROWS;
  let column = lane % COLUMNS;
  let row = lane / COLUMNS % ROWS;
  let slice = lane / (ROWS * COLUMNS);
  let end = min((group.z + 1u) * p.run, p.tokens);
  var sum: array<vec4f, 4u>;
  for (var first = group.z * p.run; first < end; first += CHUNK) {
    for (var at = lane; at < CHUNK * ROWS; at += THREADS) {
      let token = first + at / ROWS;
      let input = input_base + at % ROWS;
      var value = vec4f(0.0);
      if (token < end && input < p.inputs) { value = x[p.x_offset + token * p.x_stride + input]; }
      x_chunk[at] = value;
    }
    for (var at = lane; at < CHUNK * COLUMNS; at += THREADS) {
      let token = first + at / COLUMNS;
      let output = output_base + at % COLUMNS;
      var value = vec4f(0.0);
      if (token < end && output < p.outputs) { value = g[p.g_offset + token * p.g_stride + output]; }
      g_chunk[at] = value;
    }
    workgroupBarrier();
    for (var t = slice; t < CHUNK; t += SLICES) {
      let v = x_chunk[t * ROWS + row];
      let value = g_chunk[t * COLUMNS + column];
      for (var c = 0u; c < 4u; c++) { sum[c] += v[c] * value; }
    }
    workgroupBarrier();
  }
  for (var c = 0u; c < 4u; c++) {
    slice_sums[lane] = sum[c];
    workgroupBarrier();
    if (slice == 0u && input_base + row < p.inputs && output_base + column < p.outputs) {
      var total = vec4f(0.0);
      for (var other = lane; other < THREADS; other += ROWS * COLUMNS) { total += slice_sums[other]; }
      let at = (group.z * p.inputs + input_base + row) * 4u + c;
      partials[at * p.outputs + output_base + column] = total;
    }
    workgroupBarrier();
  }
}
