/**
 * 32 well-mixed bits from any integers: the same integers give the same bits on every machine. Each is absorbed by a
 * murmur3-like finaliser, so that neighbouring seeds, steps and indices have nothing in common.
 */
export function hash32(...integers: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const integer of integers) {
    h = Math.imul(h ^ (integer | 0), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 13), 0x846ca68b);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/** Uniform in (0, 1), never either end. */
export const hashedUniform = (...integers: readonly number[]): number => (hash32(...integers) + 0.5) / 2 ** 32;

/** FNV-1a of a text's UTF-8 bytes, 32 bits: an integer to hash a name by. */
export function hashedName(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
