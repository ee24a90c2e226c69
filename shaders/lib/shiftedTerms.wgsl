// Layer norm over channels, then Omni-Shift (eq. 11, one merged depth-wise 5×5, zero padding) of its result, which never
// goes to memory: 64 threads share a tile of 8 × 8 pixels and what surrounds it. The including shader declares `p` with
// height, width, vectors, channels and x's place, `x`, norm_weight, norm_bias and kernel, and `shared_tile` of at least 144
// vec4s, which is free in between.

// Mean and 1 / deviation from sums over x − near and its square, `near` a value of the token itself: sums over x would
// cancel where the mean is large. Padding lanes had −near in them.
fn statistics(sum: vec4f, squares: vec4f, near: f32) -> vec2f {
  let padding = f32(4u * p.vectors - p.channels);
  let count = f32(p.channels);
  let offset = (dot(sum, vec4f(1.0)) + padding * near) / count;
  let variance = max((dot(squares, vec4f(1.0)) - padding * near * near) / count - offset * offset, 0.0);
  return vec2f(near + offset, inverseSqrt(variance + 1e-5));
}

var<workgroup> pixel_statistics: array<vec2f, 144>;

// Pixel i of a tile with its surroundings, 12 × 12: where it is in x, and whether it is inside of the image.
fn surrounding(group: vec3u, i: u32) -> vec2u {
  let pixel = vec2i(8u * group.xy) + vec2i(i32(i % 12u), i32(i / 12u)) - 2;
  let source = clamp(pixel, vec2i(0), vec2i(i32(p.width), i32(p.height)) - 1);
  let image = group.z * p.height * p.width;
  let at = p.x_offset + (image + u32(source.y) * p.width + u32(source.x)) * p.x_stride;
  return vec2u(at, select(0u, 1u, all(pixel == source)));
}

fn gather_statistics(group: vec3u, lane: u32) {
  for (var i = lane; i < 144u; i += 64u) {
    let at = surrounding(group, i).x;
    let near = widened(x[at]).x;
    var sum = vec4f(0.0);
    var squares = vec4f(0.0);
    for (var k = 0u; k < p.vectors; k++) {
      let centred = widened(x[at + k]) - near;
      sum += centred;
      squares += centred * centred;
    }
    pixel_statistics[i] = statistics(sum, squares, near);
  }
}

// Vec4 k of the thread's own pixel. All threads of the workgroup must call it, after `gather_statistics`; the next call
// must wait for them.
fn shifted(group: vec3u, lane: u32, k: u32) -> vec4f {
  // Each thread reads back only statistics that it wrote itself.
  for (var i = lane; i < 144u; i += 64u) {
    let from_where = surrounding(group, i);
    let found = pixel_statistics[i];
    let normalised = (widened(x[from_where.x + k]) - found.x) * (found.y * norm_weight[k]) + norm_bias[k];
    shared_tile[i] = select(vec4f(0.0), normalised, from_where.y == 1u);
  }
  workgroupBarrier();
  var sum = vec4f(0.0);
  for (var dy = 0u; dy <= 4u; dy++) {
    for (var dx = 0u; dx <= 4u; dx++) { // left to the driver to unroll
      sum += shared_tile[(lane / 8u + dy) * 12u + lane % 8u + dx] * kernel[(dy * 5u + dx) * p.vectors + k];
    }
  }
  return sum;
}

const NONE = 0xffffffffu;

// Which token of all images is pixel `within` of the tile; NONE where the tile reaches beyond the image.
fn token_of(group: vec3u, within: u32) -> u32 {
  let pixel = 8u * group.xy + vec2u(within % 8u, within / 8u);
  if (pixel.x >= p.width || pixel.y >= p.height) { return NONE; }
  return (group.z * p.height + pixel.y) * p.width + pixel.x;
}
