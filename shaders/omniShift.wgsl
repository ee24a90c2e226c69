// Omni-Shift, eq. 11, merged to one depth-wise 5×5 convolution with zero padding: PIXELS neighbours of a row a thread.
const PIXELS = 4u;
alias Lane = vec4f;
alias Stored = vec4f;       // an activation in memory: vec4f, vec4h, or vec2u of packed halves
#include "lib/stored.wgsl"
const TURNED = false;       // the kernel turned by 180°: the gradient of x from that of y

#include "lib/omniShiftTerms.wgsl"

@compute @workgroup_size(64)
fn omniShift(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x / p.vectors * PIXELS;
  let channel = id.x % p.vectors;
  if (column >= p.width) { return; }
  let row = i32(id.y);
  let image = id.z * p.height * p.width;
  var sum: array<vec4f, PIXELS>;
  for (var dy = 0; dy < 5; dy++) {
    let source = row + dy - 2;
    if (source < 0 || source >= i32(p.height)) { continue; }
    let line = image + u32(source) * p.width;
    var value: array<vec4f, PIXELS + 4u>;
    for (var i = 0u; i < PIXELS + 4u; i++) {
      let at = column + i;  // two to the right of the pixel that it names
      if (at >= 2u && at - 2u < p.width) {
        value[i] = widened(x[p.x_offset + (line + at - 2u) * p.x_stride + channel]);
      }
    }
    for (var dx = 0u; dx < 5u; dx++) {
      let tap = u32(dy) * 5u + dx;
      let weight = kernel[select(tap, 24u - tap, TURNED) * p.vectors + channel];
      for (var i = 0u; i < PIXELS; i++) { sum[i] += value[i + dx] * weight; }
    }
  }
  let line = image + id.y * p.width;
  for (var i = 0u; i < PIXELS; i++) {
    if (column + i < p.width) { y[p.y_offset + (line + column + i) * p.y_stride + channel] = narrowed(sum[i]); }
  }
}
