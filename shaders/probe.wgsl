// What a device does at most, to compare kernels with.
//   copy         moves vec4s from one buffer to another
//   multiplyAdd  eight chains of fused multiply-adds a thread, x ← 0.5 x + c with another c for each; their sum is kept
const CHAINS = 8u;

struct Params {
  count: u32,   // vec4s to copy; threads that multiply and add
  threads: u32, // of the whole copy, which takes neighbouring vec4s in turn
  rounds: u32,  // multiply-adds of each chain
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < p.count; i += p.threads) { result[i] = source[i]; }
}

@compute @workgroup_size(64)
fn multiplyAdd(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= p.count) { return; }
  var chains: array<vec4f, CHAINS>;
  let start = source[id.x];
  for (var k = 0u; k < CHAINS; k++) { chains[k] = start; }
  for (var round = 0u; round < p.rounds; round++) {
    for (var k = 0u; k < CHAINS; k++) { chains[k] = fma(chains[k], vec4f(0.5), vec4f(f32(k))); }
  }
  var sum = vec4f(0.0);
  for (var k = 0u; k < CHAINS; k++) { sum += chains[k]; }
  result[id.x] = sum;
}
