// In place of lib/pair.wgsl for `alias Stored = u32;`.
fn pair(first: f32, second: f32) -> Stored { return pack2x16float(vec2f(first, second)); }
