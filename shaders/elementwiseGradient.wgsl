// Gradients of the elementwise operators, with g = ∂L/∂y:
//   product     y = a ⊙ b:       g_a = g ⊙ b, g_b = g ⊙ a
//   activation  y = sigmoid(x):  g_a = g ⊙ y ⊙ (1 − y), y handed in as a; or y = relu(a)²: g_a = 2 g ⊙ relu(a)
//   scale       y = a ⊙ b, b the same for every token: g_a = g ⊙ b, and g ⊙ a summed over TOKENS tokens
// One vec4 of channels a thread, or TOKENS of them where they are summed; `sumPartials` adds up the sums.
const SIGMOID = false;
const TOKENS = 16u;
struct Params {             // in vec4s
  vectors: u32,             // of each of a, b, g, g_a and g_b: [tokens, channels], tight
  channels: u32,
  strips: u32,              // ⌈tokens / TOKENS⌉
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;              // [vectors]
@group(0) @binding(2) var<storage, read> a: array<vec4f>;              // [vectors]
@group(0) @binding(3) var<storage, read> b: array<vec4f>;              // [vectors], or [channels] to scale
@group(0) @binding(4) var<storage, read_write> g_a: array<vec4f>;      // [vectors]
@group(0) @binding(5) var<storage, read_write> g_b: array<vec4f>;      // [vectors]
@group(0) @binding(6) var<storage, read_write> partials: array<vec4f>; // [strips, channels]

fn index(group: vec3u, lane: u32) -> u32 { return (group.y * 65535u + group.x) * 64u + lane; }

@compute @workgroup_size(64)
fn product(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = index(group, lane);
  if (at >= p.vectors) { return; }
  let slope = g[at];
  g_a[at] = slope * b[at];
  g_b[at] = slope * a[at];
}

@compute @workgroup_size(64)
fn activation(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = index(group, lane);
  if (at >= p.vectors) { return; }
  let value = a[at];
  if (SIGMOID) {
    g_a[at] = g[at] * value * (1.0 - value);
  } else {
    g_a[at] = 2.0 * g[at] * max(value, vec4f(0.0));
  }
}

@compute @workgroup_size(64)
fn scale(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let thread = index(group, lane);
  let channel = thread % p.channels;
  let strip = thread / p.channels;
  if (strip >= p.strips) { return; }
  let first = strip * TOKENS * p.channels + channel;
  let factor = b[channel];
  var sum = vec4f(0.0);
  for (var at = first; at < min(first + TOKENS * p.channels, p.vectors); at += p.channels) {
    let slope = g[at];
    g_a[at] = slope * factor;
    sum += slope * a[at];
  }
  partials[strip * p.channels + channel] = sum;
}
