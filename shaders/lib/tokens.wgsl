// An image as a sequence of tokens, along its rows or down its columns; the including shader's Params say which.
fn tokens() -> u32 { return p.height * p.width; }
fn pixel(image: u32, token: u32) -> u32 {
  let base = image * tokens();
  if (p.columns == 1u) { return base + token % p.height * p.width + token / p.height; }
  return base + token;
}
