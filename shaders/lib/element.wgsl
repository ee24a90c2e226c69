// Single elements of words in memory, `alias Stored`: f32 or f16. For packed halves lib/elementPacked.wgsl takes its place.
fn element(word: Stored, i: u32) -> f32 { return f32(word); }
fn with_element(word: Stored, i: u32, value: f32) -> Stored { return Stored(value); }
