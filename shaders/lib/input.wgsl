// A convolution's input in memory, `alias Input`: vec4f or vec4h, or f32 of an image of one channel, four times the same.
// For packed halves lib/inputPacked.wgsl takes its place.
fn widened_input(stored: Input) -> vec4f { return vec4f(stored); }
