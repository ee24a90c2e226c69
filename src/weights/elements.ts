/** Number types that tensors are stored in, under the names of safetensors. */
export type ElementType =
  | 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** Bytes of one element. */
export const ITEM_SIZE: Readonly<Record<ElementType, number>> = {
  F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1,
};

/**
 * Little-endian elements as numbers: F64 → Float64Array; F32, F16, BF16 → Float32Array, without loss; integers and
 * booleans → Float64Array, exact up to 2⁵³. The bytes may lie at any alignment and are copied.
 *
 * @param bytes a whole number of elements
 */
export function decodeElements(bytes: Uint8Array, type: ElementType): Float32Array | Float64Array {
  const count = bytes.byteLength / ITEM_SIZE[type];
  // A copy is aligned; `slice` would not copy if the caller's array is a Node Buffer.
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  const view = new DataView(copy.buffer);
  switch (type) {
    case 'F64':
      return new Float64Array(copy.buffer);
    case 'F32':
      return new Float32Array(copy.buffer);
    case 'F16':
      return widenHalf(new Uint16Array(copy.buffer));
    case 'BF16':
      return widenBfloat16(new Uint16Array(copy.buffer));
    case 'I64':
      return Float64Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    case 'U64':
      return Float64Array.from({ length: count }, (_, i) => Number(view.getBigUint64(8 * i, true)));
    case 'I32':
      return Float64Array.from(new Int32Array(copy.buffer));
    case 'U32':
      return Float64Array.from(new Uint32Array(copy.buffer));
    case 'I16':
      return Float64Array.from(new Int16Array(copy.buffer));
    case 'U16':
      return Float64Array.from(new Uint16Array(copy.buffer));
    case 'I8':
      return Float64Array.from(new Int8Array(copy.buffer));
    case 'U8':
      return Float64Array.from(copy);
    case 'BOOL':
      return Float64Array.from(copy, (byte) => (byte === 0 ? 0 : 1));
  }
}

/** IEEE 754 binary16 → binary32, exact, subnormals, infinities and NaN included. */
export function widenHalf(halves: Uint16Array): Float32Array {
  const result = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    const magnitude =
      exponent === 0x1f ? (fraction === 0 ? Infinity : NaN)
      : exponent === 0 ? fraction * 2 ** -24
      : (1024 + fraction) * 2 ** (exponent - 25);
    result[i] = half & 0x8000 ? -magnitude : magnitude;
  }
  return result;
}

/** bfloat16 is the upper half of a binary32. */
function widenBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}
