// In place of lib/stored.wgsl for `alias Stored = vec2u;`: float16 in pairs, for devices that have no such type.
fn widened(stored: Stored) -> Lane { return Lane(unpack2x16float(stored.x), unpack2x16float(stored.y)); }
fn narrowed(value: Lane) -> Stored { return Stored(pack2x16float(value.xy), pack2x16float(value.zw)); }
