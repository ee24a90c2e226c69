// Gradients of merging Omni-Shift's branches to one kernel, which is bilinear in alpha and the branches:
//   branches  ∂L/∂branch_b = alpha_b times g = ∂L/∂kernel, cut to the branch's window
//   alphas    ∂L/∂alpha_b = Σ g ⊙ padded branch_b, the branch of alpha_0 being 1 at the centre
struct Params {
  channels: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<f32>;                // [5, 5, channels]
@group(0) @binding(2) var<storage, read> alpha: array<f32>;            // [4]
@group(0) @binding(3) var<storage, read> conv1x1: array<f32>;          // [channels, 1, 1, 1]
@group(0) @binding(4) var<storage, read> conv3x3: array<f32>;          // [channels, 1, 3, 3]
@group(0) @binding(5) var<storage, read> conv5x5: array<f32>;          // [channels, 1, 5, 5]
@group(0) @binding(6) var<storage, read_write> g_alpha: array<f32>;    // [4]
@group(0) @binding(7) var<storage, read_write> g_conv1x1: array<f32>;  // [channels, 1, 1, 1]
@group(0) @binding(8) var<storage, read_write> g_conv3x3: array<f32>;  // [channels, 1, 3, 3]
@group(0) @binding(9) var<storage, read_write> g_conv5x5: array<f32>;  // [channels, 1, 5, 5]

// The place in conv3x3 of a channel's tap, or 0xffffffff where it lies outside the 3×3 window.
fn inner_place(channel: u32, tap: u32) -> u32 {
  let row = tap / 5u;
  let column = tap % 5u;
  if (row < 1u || row > 3u || column < 1u || column > 3u) { return 0xffffffffu; }
  return channel * 9u + (row - 1u) * 3u + column - 1u;
}

@compute @workgroup_size(64)
fn branches(@builtin(global_invocation_id) id: vec3u) {
  let tap = id.x / p.channels;
  let channel = id.x % p.channels;
  if (tap >= 25u) { return; }
  let slope = g[tap * p.channels + channel];
  let inner = inner_place(channel, tap);
  g_conv5x5[channel * 25u + tap] = alpha[3] * slope;
  if (inner != 0xffffffffu) { g_conv3x3[inner] = alpha[2] * slope; }
  if (tap == 12u) { g_conv1x1[channel] = alpha[1] * slope; }
}

var<workgroup> shared_sums: array<vec4f, 64>;

// One workgroup: there are 25·channels terms.
@compute @workgroup_size(64)
fn alphas(@builtin(local_invocation_index) lane: u32) {
  var sum = vec4f(0.0);
  for (var at = lane; at < 25u * p.channels; at += 64u) {
    let tap = at / p.channels;
    let channel = at % p.channels;
    let slope = g[at];
    var term = vec4f(0.0, 0.0, 0.0, conv5x5[channel * 25u + tap]);
    let inner = inner_place(channel, tap);
    if (inner != 0xffffffffu) { term.z = conv3x3[inner]; }
    if (tap == 12u) {
      term.x = 1.0;
      term.y = conv1x1[channel];
    }
    sum += slope * term;
  }
  shared_sums[lane] = sum;
  for (var width = 32u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { shared_sums[lane] += shared_sums[lane + width]; }
  }
  if (lane == 0u) {
    for (var b = 0u; b < 4u; b++) { g_alpha[b] = shared_sums[0][b]; }
  }
}
