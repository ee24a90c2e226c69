// Projections of the Omni-Shift of a layer norm: receptance, key and value of the tokens of an 8 × 8 tile, side by side.
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const VECTORS = 6u;         // vec4s of a token's channels, p.vectors
const TOKENS = 8u;          // tokens a thread

struct Params {             // lengths, offsets and strides in vec4s
  height: u32, width: u32, vectors: u32,
  channels: u32,            // of a token, the true count
  outputs: u32,
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;       // [N, height, width, vectors]
@group(0) @binding(2) var<storage, read> inward: array<vec4f>;   // [4·vectors, outputs]
@group(0) @binding(3) var<storage, read_write> y: array<Stored>; // [N, height, width, outputs]
var<workgroup> shared_tile: array<vec4f, 144>;
#include "lib/project.wgsl"
#include "lib/shiftedTile.wgsl"

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  fill_tile(group, lane);
  let row = lane / 8u;
  for (var base = 0u; base < p.outputs; base += 8u) {
    let output = base + lane % 8u;
    let sum = project(row, output, p.outputs);
    for (var t = 0u; t < TOKENS; t++) {
      let token = token_of(group, row + 8u * t);
      if (token != NONE && output < p.outputs) { y[p.y_offset + token * p.y_stride + output] = narrowed(sum[t]); }
    }
  }
}
