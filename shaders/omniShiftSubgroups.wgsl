enable subgroups;
// Omni-Shift as in omniShift.wgsl, for processors that play GPU: there a load costs as much as dozens of multiply-adds.
// A thread computes a tile of ROWS × PIXELS and reads every pixel round it once; each thread of a subgroup of eight loads
// another tap of the kernel, and all get it from there.
const ROWS = 4u;
const PIXELS = 8u;
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"

#include "lib/omniShiftTerms.wgsl"

// A workgroup has one vec4 of channels, so that its threads share the taps.
@compute @workgroup_size(8)
fn throughSubgroups(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) within: u32,
) {
  let across = (p.width + PIXELS - 1u) / PIXELS;
  let channel = group.x % p.vectors;
  let column = min(group.x / p.vectors * 8u + lane, across - 1u) * PIXELS; // idle threads keep the others company
  let first_row = group.y * ROWS;
  let image = group.z * p.height * p.width;
  var sum: array<array<vec4f, PIXELS>, ROWS>;
  for (var r = 0u; r <= ROWS + 3u; r++) {
    // Row r of the surroundings is row r − o of the kernel round the tile's row o.
    let wanted = i32(first_row + r) - 2;
    let source = clamp(wanted, 0, i32(p.height) - 1);
    let line = image + u32(source) * p.width;
    var value: array<vec4f, PIXELS + 4u>;
    for (var i = 0u; i < PIXELS + 4u; i++) {
      let at = i32(column + i) - 2;
      let inside = wanted == source && at >= 0 && at < i32(p.width);
      let read = x[p.x_offset + (line + u32(clamp(at, 0, i32(p.width) - 1))) * p.x_stride + channel];
      value[i] = select(vec4f(0.0), widened(read), inside);
    }
    for (var o = 0u; o < ROWS; o++) {
      let tap_row = min(r - min(r, o), 4u);
      let held = kernel[(tap_row * 5u + min(within, 4u)) * p.vectors + channel];
      let taps = select(vec4f(0.0), held, r >= o && r <= o + 4u);
      for (var dx = 0u; dx < 5u; dx++) {
        let tap = subgroupBroadcast(taps, dx);
        for (var i = 0u; i < PIXELS; i++) { sum[o][i] = fma(value[i + dx], tap, sum[o][i]); }
      }
    }
  }
  // One row after the other, the rest moving up: these drivers take long to compile a store, so that there are few.
  let end = min(first_row + ROWS, p.height);
  for (var row = first_row; row < end; row++) {
    for (var i = 0u; i < PIXELS; i++) {
      let pixel = image + row * p.width + column + i;
      if (column + i < p.width) { y[p.y_offset + pixel * p.y_stride + channel] = narrowed(sum[0][i]); }
      for (var o = 0u; o < ROWS - 1u; o++) { sum[o][i] = sum[o + 1u][i]; }
    }
  }
}
