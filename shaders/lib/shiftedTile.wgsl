// In place of lib/tokenTile.wgsl: the workgroup's tokens are the Omni-Shift of a layer norm of x's, TOKENS = 8.
@group(0) @binding(6) var<storage, read> norm_weight: array<vec4f>; // [vectors]
@group(0) @binding(7) var<storage, read> norm_bias: array<vec4f>;   // [vectors]
@group(0) @binding(8) var<storage, read> kernel: array<vec4f>;      // [5, 5, vectors]
#include "lib/shiftedTerms.wgsl"

fn fill_tile(group: vec3u, lane: u32) {
  gather_statistics(group, lane);
  for (var k = 0u; k < p.vectors; k++) {
    x_tile[k][lane] = shifted(group, lane, k);
    workgroupBarrier();
  }
}
