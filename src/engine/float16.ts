const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** IEEE 754 binary16 of a number, rounded to the nearest, ties to even; beyond ±65504 infinite. */
function halfOf(value: number): number {
  word[0] = value;
  const sign = (bits[0]! >>> 16) & 0x8000;
  const rest = bits[0]! & 0x7fffffff;
  if (rest > 0x7f800000) return sign | 0x7e00; // NaN
  // Below 2^−14 a half counts steps of 2^−24; adding 0.5 to their float32 number rounds it so.
  if (rest < 0x38800000) {
    word[0] = Math.abs(value) + 0.5;
    return sign | (bits[0]! - 0x3f000000);
  }
  const rounded = (rest + 0xfff + ((rest >>> 13) & 1) - 0x38000000) >>> 13;
  return sign | Math.min(rounded, 0x7c00);
}

/** Numbers as float16, two in a 32-bit word as a GPU reads them. */
export function toHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, halfOf);
}
