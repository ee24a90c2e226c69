import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';
import { pixelShuffle, pixelUnshuffle } from './pixelShuffle.reference.ts';

describe('pixel shuffle', () => {
  test('sends channel 4c + 2i + j to offset (i, j) of channel c', () => {
    const y = pixelShuffle(float64Image([1, 1, 2, 8], Array.from({ length: 16 }, (_, at) => at)));
    expect(y.shape).toEqual([1, 2, 4, 2]);
    // Top row: offsets (0, 0) and (0, 1) of each pixel, both channels together.
    expect([...y.data]).toEqual([0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15]);
  });

  test('pixel unshuffle undoes it, in every image of a batch', () => {
    const x = noise([2, 3, 5, 8], 1);
    expect(pixelUnshuffle(pixelShuffle(x))).toEqual(x);
  });

  test('each is the gradient of the other', () => {
    expect(gradientError(pixelShuffle, (g) => [pixelUnshuffle(g)], [noise([2, 1, 3, 8], 2)])).toBeLessThan(1e-8);
    expect(gradientError(pixelUnshuffle, (g) => [pixelShuffle(g)], [noise([2, 2, 6, 3], 3)])).toBeLessThan(1e-8);
  });

  test('channels that are no multiple of 4 and odd sizes are refused', () => {
    expect(() => pixelShuffle(noise([1, 2, 2, 6], 1))).toThrow(ShapeError);
    expect(() => pixelUnshuffle(noise([1, 3, 2, 6], 1))).toThrow(ShapeError);
  });
});
