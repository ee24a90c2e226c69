// Layer norm over channels, then Omni-Shift (eq. 11, one merged depth-wise 5×5, zero padding) of its result, which never
// goes to memory: 64 threads share a tile of 8 × 8 pixels and what surrounds it.

alias Stored = vec4f;      // an activation in memory: vec4f or vec4h

struct Params {             // lengths, offsets and strides in vec4s
  height: u32, width: u32, vectors: u32,
  channels: u32,            // the true count, without padding, whose lanes are zero in x, weight and bias
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;      // [N, height, width, vectors]
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;  // [vectors]
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;    // [vectors]
@group(0) @binding(4) var<storage, read> kernel: array<vec4f>;  // [5, 5, vectors]
@group(0) @binding(5) var<storage, read_write> y: array<Stored>; // [N, height, width, vectors]

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
var<workgroup> tile: array<vec4f, 144>;

// Pixel i of a tile with its surroundings, 12 × 12: where it is in x, and whether it is inside of the image.
fn surrounding(first: vec2u, image: u32, i: u32) -> vec2u {
  let pixel = vec2i(first) + vec2i(i32(i % 12u), i32(i / 12u)) - 2;
  let source = clamp(pixel, vec2i(0), vec2i(i32(p.width), i32(p.height)) - 1);
  let at = p.x_offset + (image + u32(source.y) * p.width + u32(source.x)) * p.x_stride;
  return vec2u(at, select(0u, 1u, all(pixel == source)));
}

@compute @workgroup_size(64)
fn throughWorkgroup(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = 8u * group.xy;
  let image = group.z * p.height * p.width;
  for (var i = lane; i < 144u; i += 64u) {
    let at = surrounding(first, image, i).x;
    let near = f32(x[at].x);
    var sum = vec4f(0.0);
    var squares = vec4f(0.0);
    for (var k = 0u; k < p.vectors; k++) {
      let centred = vec4f(x[at + k]) - near;
      sum += centred;
      squares += centred * centred;
    }
    pixel_statistics[i] = statistics(sum, squares, near);
  }
  let column = lane % 8u;
  let row = lane / 8u;
  let inside = first.x + column < p.width && first.y + row < p.height;
  let pixel = image + (first.y + row) * p.width + first.x + column;
  for (var k = 0u; k < p.vectors; k++) {
    // Each thread reads back only statistics that it wrote itself.
    for (var i = lane; i < 144u; i += 64u) {
      let from_where = surrounding(first, image, i);
      let found = pixel_statistics[i];
      let normalised = (vec4f(x[from_where.x + k]) - found.x) * (found.y * weight[k]) + bias[k];
      tile[i] = select(vec4f(0.0), normalised, from_where.y == 1u);
    }
    workgroupBarrier();
    var shifted = vec4f(0.0);
    for (var dy = 0u; dy < 5u; dy++) {
      for (var dx = 0u; dx < 5u; dx++) {
        shifted += tile[(row + dy) * 12u + column + dx] * kernel[(dy * 5u + dx) * p.vectors + k];
      }
    }
    if (inside) { y[p.y_offset + pixel * p.y_stride + k] = Stored(shifted); }
    workgroupBarrier();
  }
}
