// In place of lib/input.wgsl for `alias Input = vec2u;`.
fn widened_input(stored: Input) -> vec4f { return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y)); }
