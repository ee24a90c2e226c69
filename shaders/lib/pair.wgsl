// Two elements that lie side by side in memory, `alias Stored`: vec2f or vec2h. For packed halves lib/pairPacked.wgsl
// takes its place.
fn pair(first: f32, second: f32) -> Stored { return Stored(vec2f(first, second)); }
