// An activation in memory. The including shader says `alias Lane`, what it computes with (vec4f or f32), and
// `alias Stored`: the same, or vec4h or f16. For packed halves lib/storedPacked.wgsl takes this file's place.
fn widened(stored: Stored) -> Lane { return Lane(stored); }
fn narrowed(value: Lane) -> Stored { return Stored(value); }
