// Convolution 3×3 with zero padding where neither x nor W nor y is padded to vec4s, and its gradients for g = ∂L/∂y:
// y_q = Σ x_p W_tap + bias over the pixels p that the nine taps join to q, ∂L/∂x_p = Σ g_q W_tapᵀ and
// ∂L/∂W_tap = Σ x_pᵀ g_q, the latter summed by each workgroup over a part of the pixels.
alias Input = vec4f;        // ROWS neighbouring channels of x: vec4f, or f32 where they are no multiple of four
const ROWS = 4u;
alias Output = vec4f;       // neighbouring channels of y: vec4f, vec2f or f32
alias Summand = vec4f;      // a vector that Output fits in, vec2f for f32
const PARTS = Summand(1.0); // what of it is Output: Summand(1.0, 0.0) for f32
const PIXELS = 8u;          // pixels a thread, for y and ∂L/∂x
const INPUTS = 1u;          // Inputs a thread, for ∂L/∂x
const OUTPUTS = 3u;         // Outputs a thread, for y and ∂L/∂W through registers
const LANES = 8u;           // threads of a workgroup

struct Params {             // lengths, offsets and strides of x in Inputs, of y, g and bias in Outputs, of gx in floats
  height: u32, width: u32, inputs: u32, outputs: u32,
  lines: u32,               // N · height
  run: u32,                 // lines, or pixels through workgroup memory, that a workgroup sums over for ∂L/∂W
  has_bias: u32,
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
  g_offset: u32, g_stride: u32,
  gx_offset: u32, gx_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Input>;               // [N, height, width, inputs]
@group(0) @binding(2) var<storage, read> weight: array<Output>;         // [3, 3, ROWS·inputs, outputs]
@group(0) @binding(3) var<storage, read> bias: array<Output>;           // [outputs]
@group(0) @binding(4) var<storage, read> g: array<Output>;              // [N, height, width, outputs]
@group(0) @binding(5) var<storage, read_write> y: array<Output>;        // [N, height, width, outputs]
@group(0) @binding(6) var<storage, read_write> gx: array<f32>;          // [N, height, width, ROWS·inputs]
@group(0) @binding(7) var<storage, read_write> partials: array<Output>; // [runs, 3, 3, ROWS·inputs, outputs]

// Whether the pixel one up-left of (row, column) is in the image.
fn inside(row: u32, column: u32) -> bool {
  return row >= 1u && row <= p.height && column >= 1u && column <= p.width;
}

@compute @workgroup_size(LANES)
fn conv(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixels = p.lines * p.width;
  let first_pixel = (group.y * 65535u + group.x) * LANES * PIXELS + lane;
  let first_output = group.z * OUTPUTS;
  var row: array<u32, PIXELS>;
  var column: array<u32, PIXELS>;
  for (var i = 0u; i < PIXELS; i++) {
    row[i] = (first_pixel + i * LANES) / p.width % p.height;
    column[i] = (first_pixel + i * LANES) % p.width;
  }
  var sum: array<array<Output, OUTPUTS>, PIXELS>;
  for (var tap = 0u; tap <= 8u; tap++) {
    let dy = tap / 3u;
    let dx = tap % 3u;
    for (var k = 0u; k < p.inputs; k++) {
      var value: array<vec4f, PIXELS>;
      for (var i = 0u; i < PIXELS; i++) {
        let pixel = min(first_pixel + i * LANES + dy * p.width + dx - p.width - 1u, pixels - 1u);
        let v = x[p.x_offset + pixel * p.x_stride + k];
        value[i] = vec4f(select(Input(), v, inside(row[i] + dy, column[i] + dx)));
      }
      for (var c = 0u; c < ROWS; c++) {
        for (var o = 0u; o < OUTPUTS; o++) {
          let row_of_weight = (tap * p.inputs + k) * ROWS + c;
          let w = weight[row_of_weight * p.outputs + min(first_output + o, p.outputs - 1u)];
          for (var i = 0u; i < PIXELS; i++) { sum[i][o] += value[i][c] * w; }
        }
      }
    }
  }
  for (var o = 0u; o < OUTPUTS; o++) {
    let output = first_output + o;
    if (output < p.outputs) {
      var start = Output();
      if (p.has_bias == 1u) { start = bias[output]; }
      for (var i = 0u; i < PIXELS; i++) {
        let pixel = first_pixel + i * LANES;
        if (pixel < pixels) { y[p.y_offset + pixel * p.y_stride + output] = sum[i][o] + start; }
      }
    }
  }
}

// The same convolution of g by the weight turned by 180° and transposed.
@compute @workgroup_size(LANES)
fn inputGradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixels = p.lines * p.width;
  let first_pixel = (group.y * 65535u + group.x) * LANES * PIXELS + lane;
  let first_row = group.z * INPUTS * ROWS;
  let rows = p.inputs * ROWS;
  var row: array<u32, PIXELS>;
  var column: array<u32, PIXELS>;
  for (var i = 0u; i < PIXELS; i++) {
    row[i] = (first_pixel + i * LANES) / p.width % p.height;
    column[i] = (first_pixel + i * LANES) % p.width;
  }
  var sum: array<array<f32, INPUTS * ROWS>, PIXELS>;
  for (var tap = 0u; tap <= 8u; tap++) {
    let dy = tap / 3u;
    let dx = tap % 3u;
    for (var k = 0u; k < p.outputs; k++) {
      var value: array<Output, PIXELS>;
      for (var i = 0u; i < PIXELS; i++) {
        let pixel = min(first_pixel + i * LANES + dy * p.width + dx - p.width - 1u, pixels - 1u);
        let v = g[p.g_offset + pixel * p.g_stride + k];
        value[i] = select(Output(), v, inside(row[i] + dy, column[i] + dx));
      }
      for (var c = 0u; c < INPUTS * ROWS; c++) {
        let w = weight[((8u - tap) * rows + min(first_row + c, rows - 1u)) * p.outputs + k];
        for (var i = 0u; i < PIXELS; i++) { sum[i][c] += dot(Summand(value[i] * w), PARTS); }
      }
    }
  }
  for (var i = 0u; i < PIXELS; i++) {
    let pixel = first_pixel + i * LANES;
    for (var c = 0u; c < INPUTS * ROWS; c++) {
      if (pixel < pixels && first_row + c < rows) { gx[p.gx_offset + pixel * p.gx_stride + first_row + c] = sum[i][c]; }
    }
  }
}

var<workgroup> lane_sums: array<Output, LANES * 3u * ROWS * OUTPUTS>;

// A thread holds the three taps of a row of taps, one Input, for columns of its own; the threads' sums are added at the
// end.
@compute @workgroup_size(LANES)
fn weightThroughRegisters(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_output = group.x * OUTPUTS;
  let dy = group.y / p.inputs;
  let k = group.y % p.inputs;
  let end = min((group.z + 1u) * p.run, p.lines);
  var sum: array<array<Output, OUTPUTS>, 3u * ROWS>;
  for (var line = group.z * p.run; line < end; line++) {
    let row = line % p.height + dy;
    for (var column = lane; column < p.width; column += LANES) {
      var value: array<Output, OUTPUTS>;
      for (var o = 0u; o < OUTPUTS; o++) {
        let output = min(first_output + o, p.outputs - 1u);
        value[o] = g[p.g_offset + (line * p.width + column) * p.g_stride + output];
      }
      for (var dx = 0u; dx < 3u; dx++) {
        let pixel = (line + dy - 1u) * p.width + column + dx - 1u;
        let v = vec4f(select(Input(), x[p.x_offset + pixel * p.x_stride + k], inside(row, column + dx)));
        for (var c = 0u; c < ROWS; c++) {
          for (var o = 0u; o < OUTPUTS; o++) { sum[ROWS * dx + c][o] += v[c] * value[o]; }
        }
      }
    }
  }
  for (var i = 0u; i < 3u * ROWS; i++) {
    for (var o = 0u; o < OUTPUTS; o++) { lane_sums[(i * OUTPUTS + o) * LANES + lane] = sum[i][o]; }
  }
  workgroupBarrier();
  for (var at = lane; at < 3u * ROWS * OUTPUTS; at += LANES) {
    var total = Output();
    for (var other = 0u; other < LANES; other++) { total += lane_sums[at * LANES + other]; }
    let i = at / OUTPUTS;
    let tap = 3u * dy + i / ROWS;
    let output = first_output + at % OUTPUTS;
    if (output < p.outputs) {
      let rows = ROWS * p.inputs;
      partials[((group.z * 9u + tap) * rows + k * ROWS + i % ROWS) * p.outputs + output] = total;
    }
  }
}

// SLICES × TILE × COLUMNS threads: each holds one tap of one Input by one Output for every SLICES-th of CHUNK pixels.
const TILE = 9u;
const COLUMNS = 3u;
const SLICES = 9u;
const THREADS = 243u;
const CHUNK = 36u;
var<workgroup> x_chunk: array<Input, CHUNK * TILE>;
var<workgroup> g_chunk: array<Output, CHUNK * COLUMNS>;
var<workgroup> slice_sums: array<Output, THREADS>;

@compute @workgroup_size(THREADS)
fn weightThroughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pixels = p.lines * p.width;
  let output_base = group.x * COLUMNS;
  let tap_base = group.y * TILE; // of 9 taps by the Inputs
  let column = lane % COLUMNS;
  let tile = lane / COLUMNS % TILE;
  let slice = lane / (TILE * COLUMNS);
  let end = min((group.z + 1u) * p.run, pixels);
  var sum: array<Output, ROWS>;
  for (var first = group.z * p.run; first < end; first += CHUNK) {
    for (var at = lane; at < CHUNK * TILE; at += THREADS) {
      let pixel = first + at / TILE;
      let tap = (tap_base + at % TILE) / p.inputs;
      var value = Input();
      if (pixel < end && tap < 9u && inside(pixel / p.width % p.height + tap / 3u, pixel % p.width + tap % 3u)) {
        let source = pixel + tap / 3u * p.width + tap % 3u - p.width - 1u;
        value = x[p.x_offset + source * p.x_stride + (tap_base + at % TILE) % p.inputs];
      }
      x_chunk[at] = value;
    }
    for (var at = lane; at < CHUNK * COLUMNS; at += THREADS) {
      let pixel = first + at / COLUMNS;
      let output = output_base + at % COLUMNS;
      var value = Output();
      if (pixel < end && output < p.outputs) { value = g[p.g_offset + pixel * p.g_stride + output]; }
      g_chunk[at] = value;
    }
    workgroupBarrier();
    for (var t = slice; t < CHUNK; t += SLICES) {
      let v = vec4f(x_chunk[t * TILE + tile]);
      let value = g_chunk[t * COLUMNS + column];
      for (var c = 0u; c < ROWS; c++) { sum[c] += v[c] * value; }
    }
    workgroupBarrier();
  }
  for (var c = 0u; c < ROWS; c++) {
    slice_sums[lane] = sum[c];
    workgroupBarrier();
    if (slice == 0u && tap_base + tile < 9u * p.inputs && output_base + column < p.outputs) {
      var total = Output();
      for (var other = lane; other < THREADS; other += TILE * COLUMNS) { total += slice_sums[other]; }
      let at = (group.z * 9u * p.inputs + tap_base + tile) * ROWS + c;
      partials[at * p.outputs + output_base + column] = total;
    }
    workgroupBarrier();
  }
}
