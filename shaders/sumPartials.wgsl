// sums_j = scale · Σ_i partials_ij: what workgroups found each for itself, put together.
// ROWS threads share an entry. A thread adds in blocks and the threads by halves, so that few roundings lie between a
// partial and its sum however many there are.
const ROWS = 16u;           // threads an entry: 1, 16 or 64
const COLUMNS = 256u / ROWS;
const BLOCK = 32u;          // partials added one by one before they join the thread's sum

struct Params {
  count: u32, length: u32,
  offset: u32,              // of the first partial
  scale: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;   // [count, length]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // [length]

var<workgroup> shared_sums: array<f32, 256>;

@compute @workgroup_size(256)
fn sumPartials(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let index = (group.y * 65535u + group.x) * COLUMNS + lane % COLUMNS;
  let entry = min(index, p.length - 1u); // idle threads keep the barriers company
  var sum = 0.0;
  for (var first = lane / COLUMNS; first < p.count; first += BLOCK * ROWS) {
    let end = min(first + BLOCK * ROWS, p.count);
    var block = 0.0;
    for (var row = first; row < end; row += ROWS) { block += partials[p.offset + row * p.length + entry]; }
    sum += block;
  }
  if (ROWS > 1u) {
    shared_sums[lane] = sum;
    for (var rows = ROWS / 2u; rows > 0u; rows /= 2u) {
      workgroupBarrier();
      if (lane / COLUMNS < rows) { shared_sums[lane] += shared_sums[lane + rows * COLUMNS]; }
    }
    sum = shared_sums[lane];
  }
  if (lane < COLUMNS && index < p.length) { sums[index] = sum * p.scale; }
}
