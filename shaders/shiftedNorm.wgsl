// Omni-Shift of a layer norm, written to memory.
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"

struct Params {             // lengths, offsets and strides in vec4s
  height: u32, width: u32, vectors: u32,
  channels: u32,            // the true count, without padding, whose lanes are zero in x, norm_weight and norm_bias
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;          // [N, height, width, vectors]
@group(0) @binding(2) var<storage, read> norm_weight: array<vec4f>; // [vectors]
@group(0) @binding(3) var<storage, read> norm_bias: array<vec4f>;   // [vectors]
@group(0) @binding(4) var<storage, read> kernel: array<vec4f>;      // [5, 5, vectors]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;    // [N, height, width, vectors]
var<workgroup> shared_tile: array<vec4f, 144>;
#include "lib/shiftedTerms.wgsl"

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  gather_statistics(group, lane);
  let token = token_of(group, lane);
  for (var k = 0u; k < p.vectors; k++) {
    let value = shifted(group, lane, k);
    if (token != NONE) { y[p.y_offset + token * p.y_stride + k] = narrowed(value); }
    workgroupBarrier();
  }
}
