// The including shader says `alias Lane = f32;` or `vec4f`. Clamped so that exp stays finite.
fn sigmoid(x: Lane) -> Lane {
  return 1.0 / (1.0 + exp(clamp(-x, Lane(-80.0), Lane(80.0))));
}
