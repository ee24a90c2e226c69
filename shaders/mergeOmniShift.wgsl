// The branches of Omni-Shift, eq. 11, merged to one depth-wise kernel, one tap of one channel a thread:
//
//   kernel[i, j, c] = alpha_0 [i = j = 2] + alpha_1 conv1x1 + alpha_2 conv3x3 + alpha_3 conv5x5 where they reach
struct Params {
  channels: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> alpha: array<f32>;         // [4]
@group(0) @binding(2) var<storage, read> conv1x1: array<f32>;       // [channels, 1, 1, 1]
@group(0) @binding(3) var<storage, read> conv3x3: array<f32>;       // [channels, 1, 3, 3]
@group(0) @binding(4) var<storage, read> conv5x5: array<f32>;       // [channels, 1, 5, 5]
@group(0) @binding(5) var<storage, read_write> kernel: array<f32>;  // [5, 5, channels]

@compute @workgroup_size(64)
fn mergeOmniShift(@builtin(global_invocation_id) id: vec3u) {
  let tap = id.x / p.channels;
  let channel = id.x % p.channels;
  if (tap >= 25u) { return; }
  let row = tap / 5u;
  let column = tap % 5u;
  var sum = alpha[3] * conv5x5[channel * 25u + tap];
  if (row >= 1u && row <= 3u && column >= 1u && column <= 3u) {
    sum += alpha[2] * conv3x3[channel * 9u + (row - 1u) * 3u + column - 1u];
  }
  if (tap == 12u) { sum += alpha[1] * conv1x1[channel] + alpha[0]; }
  kernel[tap * p.channels + channel] = sum;
}
