// The tokens of a workgroup, 8·TOKENS neighbours in memory, as x_tile holds them.
const NONE = 0xffffffffu;

fn fill_tile(group: vec3u, lane: u32) {
  let first = group.x * 8u * TOKENS;
  for (var i = lane; i < 8u * TOKENS * VECTORS; i += 64u) {
    let token = min(first + i / VECTORS, p.tokens - 1u);
    x_tile[i % VECTORS][i / VECTORS] = widened(x[p.x_offset + token * p.x_stride + i % VECTORS]);
  }
  workgroupBarrier();
}

fn token_of(group: vec3u, within: u32) -> u32 {
  let token = group.x * 8u * TOKENS + within;
  return select(NONE, token, token < p.tokens);
}
