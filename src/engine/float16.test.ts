import { expect, test } from 'vitest';
import { toHalves } from './float16.ts';

// IEEE 754-2019, binary16: 1 sign, 5 exponent and 10 fraction bits.
test.each([
  [0, 0x0000], [-0, 0x8000], [1, 0x3c00], [-2, 0xc000], [65504, 0x7bff], [65519, 0x7bff], [65520, 0x7c00], [1e9, 0x7c00],
  [2 ** -14, 0x0400], [2 ** -24, 0x0001], [2 ** -25, 0x0000], [3 * 2 ** -25, 0x0002], [2 ** -14 - 2 ** -24, 0x03ff],
  [1 + 2 ** -11, 0x3c00], [1 + 3 * 2 ** -11, 0x3c02], [1 / 3, 0x3555], [Infinity, 0x7c00], [-Infinity, 0xfc00],
])('%d is rounded to the nearest float16, ties to even', (value, half) => {
  expect([...toHalves(Float32Array.of(value))]).toEqual([half]);
});

test('NaN stays NaN', () => {
  expect(toHalves(Float32Array.of(NaN))[0]! & 0x7fff).toBeGreaterThan(0x7c00);
});
