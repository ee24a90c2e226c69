// In place of lib/element.wgsl for `alias Stored = u32;`, a word of two float16.
fn element(word: Stored, i: u32) -> f32 { return unpack2x16float(word)[i]; }
fn with_element(word: Stored, i: u32, value: f32) -> Stored {
  let other = unpack2x16float(word)[1u - i];
  return pack2x16float(select(vec2f(other, value), vec2f(value, other), i == 0u));
}
