// What Omni-Shift reads and writes, whichever way it is tiled. The including shader says how activations are Stored.
struct Params {             // lengths, offsets and strides in vec4s
  height: u32, width: u32, vectors: u32,
  x_offset: u32, x_stride: u32,
  y_offset: u32, y_stride: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<Stored>;      // [N, height, width, vectors]
@group(0) @binding(2) var<storage, read> kernel: array<vec4f>;  // [5, 5, vectors]
@group(0) @binding(3) var<storage, read_write> y: array<Stored>; // [N, height, width, vectors]
