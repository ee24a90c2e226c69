enable subgroups;
// Convolution 3×3 as in conv.wgsl, for processors that play GPU: there a load costs as much as dozens of multiply-adds,
// so that each thread of a subgroup of eight loads another part of W, and all get it from there.
const PIXELS = 4u;          // neighbours of a row a thread, an even number
const PAIRS = 3u;           // pairs of vec4s of output channels a thread
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
alias Input = Stored;
#include "lib/addProduct.wgsl"
#include "lib/input.wgsl"
#include "lib/convTerms.wgsl"
#include "lib/convVectors.wgsl"

@compute @workgroup_size(64)
fn throughSubgroups(
  @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) within: u32,
) {
  let across = (p.width + PIXELS - 1u) / PIXELS;
  let count = p.images * p.height * across;
  let asked = group.x * 64u + lane;
  let index = min(asked, count - 1u); // idle threads keep their subgroup company
  let column = index % across * PIXELS;
  let row = index / across % p.height;
  let image = index / across / p.height;
  let first_output = group.y * 2u * PAIRS;

  var sum: array<array<vec4f, 2u * PAIRS>, PIXELS>;
  for (var dy = 0u; dy <= 2u; dy++) {
    // Outside of the image another pixel's values, times zero.
    let wanted = i32(row + dy) - 1;
    let source = clamp(wanted, 0, i32(p.height) - 1);
    let line = (image * p.height + u32(source)) * p.width;
    for (var k = 0u; k < p.inputs; k++) {
      var value: array<vec4f, PIXELS + 2u>;
      for (var i = 0u; i < PIXELS + 2u; i++) {
        let at = i32(column + i) - 1;
        let inside = wanted == source && at >= 0 && at < i32(p.width);
        let read = x[p.x_offset + (line + u32(clamp(at, 0, i32(p.width) - 1))) * p.x_stride + k];
        value[i] = select(vec4f(0.0), widened_input(read), inside);
      }
      for (var dx = 0u; dx < 3u; dx++) {
        for (var i = 0u; i < PAIRS; i++) {
          // Four rows of W, two vec4s of each.
          let output = min(first_output + 2u * i + within / 4u, p.outputs - 1u);
          let held = weight[(((dy * 3u + dx) * p.inputs + k) * 4u + within % 4u) * p.outputs + output];
          for (var half = 0u; half < 2u; half++) {
            let w0 = subgroupBroadcast(held, 4u * half);
            let w1 = subgroupBroadcast(held, 4u * half + 1u);
            let w2 = subgroupBroadcast(held, 4u * half + 2u);
            let w3 = subgroupBroadcast(held, 4u * half + 3u);
            for (var j = 0u; j < PIXELS; j++) {
              sum[j][2u * i + half] = addProduct(sum[j][2u * i + half], value[j + dx], w0, w1, w2, w3);
            }
          }
        }
      }
    }
  }
  // Two pixels after the other, the rest moving up: these drivers take long to compile a store, so that there are few.
  let end = select(column, min(column + PIXELS, p.width), asked < count);
  for (var at = column; at < end; at += 2u) {
    for (var o = 0u; o < 2u * PAIRS; o++) {
      let output = first_output + o;
      if (output < p.outputs) { store_with_bias(image, row, at, output, sum[0][o], sum[1][o]); }
      for (var j = 0u; j < PIXELS - 2u; j++) { sum[j][o] = sum[j + 2u][o]; }
    }
  }
}
