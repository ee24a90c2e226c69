// Omni-Shift, eq. 11 merged to one depth-wise 5×5: with g = ∂L/∂y, the gradient of tap (i, j) is
//
//   ∂L/∂kernel[i, j] = Σ_{n, h, w} x[n, h + i − 2, w + j − 2] ⊙ g[n, h, w]
//
// A thread sums the five taps of a row of the kernel for a vec4 of channels over ROWS rows of an image, PIXELS
// neighbours at a time; `sumPartials` then adds up what the strips found. (The gradient of x is omniShift.wgsl, TURNED.)
const PIXELS = 4u;
const ROWS = 1u;            // of an image a thread
struct Params {             // lengths, offsets and strides in vec4s
  height: u32, width: u32, vectors: u32,
  strips: u32,              // ⌈height / ROWS⌉
  x_offset: u32, x_stride: u32,
  g_offset: u32, g_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;              // [N, height, width, vectors]
@group(0) @binding(2) var<storage, read> g: array<vec4f>;              // [N, height, width, vectors]
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>; // [N, strips, 5, 5, vectors]

@compute @workgroup_size(64)
fn kernelPartials(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x % p.vectors;
  let dy = id.x / p.vectors % 5u;
  let strip = id.x / p.vectors / 5u;
  if (strip >= p.strips) { return; }
  let image = id.y * p.height;
  var sum: array<vec4f, 5>;
  for (var row = strip * ROWS; row < min(strip * ROWS + ROWS, p.height); row++) {
    let source = row + dy;  // two below the row of x
    if (source < 2u || source - 2u >= p.height) { continue; }
    let x_line = (image + source - 2u) * p.width;
    let g_line = (image + row) * p.width;
    for (var column = 0u; column < p.width; column += PIXELS) {
      var value: array<vec4f, PIXELS + 4u>;
      for (var i = 0u; i < PIXELS + 4u; i++) {
        value[i] = vec4f(0.0); // said, as some compilers make a loop's variables zero in its first round only
        let at = column + i; // two to the right of the pixel that it names
        if (at >= 2u && at - 2u < p.width) { value[i] = x[p.x_offset + (x_line + at - 2u) * p.x_stride + channel]; }
      }
      for (var i = 0u; i < PIXELS; i++) {
        var slope = vec4f(0.0);
        if (column + i < p.width) { slope = g[p.g_offset + (g_line + column + i) * p.g_stride + channel]; }
        for (var dx = 0u; dx < 5u; dx++) { sum[dx] += value[i + dx] * slope; }
      }
    }
  }
  let first = ((id.y * p.strips + strip) * 25u + dy * 5u) * p.vectors + channel;
  for (var dx = 0u; dx < 5u; dx++) { partials[first + dx * p.vectors] = sum[dx]; }
}
