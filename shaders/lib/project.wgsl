// What `columns` vec4s of a weight make of the tokens in x_tile, [VECTORS, 8·TOKENS]: a thread has every eighth of them.
var<workgroup> x_tile: array<array<vec4f, 8u * TOKENS>, VECTORS>;

// x·W of the thread's tokens for one vec4 of output channels; where it is not there, another's.
fn project(row: u32, column: u32, columns: u32) -> array<vec4f, TOKENS> {
  let at = min(column, columns - 1u);
  var sum: array<vec4f, TOKENS>;
  for (var k = 0u; k < p.vectors; k++) {
    let w0 = inward[4u * k * columns + at];
    let w1 = inward[(4u * k + 1u) * columns + at];
    let w2 = inward[(4u * k + 2u) * columns + at];
    let w3 = inward[(4u * k + 3u) * columns + at];
    for (var t = 0u; t < TOKENS; t++) {
      let value = x_tile[k][row + 8u * t];
      sum[t] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
    }
  }
  return sum;
}
