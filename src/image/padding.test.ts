import { describe, expect, it } from 'vitest';
import { crop, padToMultiple } from './padding.ts';

const numbered = (width: number, height: number) => ({
  width,
  height,
  data: Float32Array.from({ length: width * height }, (_, i) => i),
});

describe('padding', () => {
  it('repeats the last column and row to the right and below', () => {
    const padded = padToMultiple(numbered(3, 2), 4);
    expect([padded.width, padded.height]).toEqual([4, 4]);
    expect([...padded.data]).toEqual([0, 1, 2, 2, 3, 4, 5, 5, 3, 4, 5, 5, 3, 4, 5, 5]);
  });

  it.each([
    [1, 1],
    [1, 9],
    [13, 1],
    [7, 17],
    [8, 16],
    [9, 8],
  ])('of %i × %i to multiples of 8 is undone by the crop', (width, height) => {
    const slice = numbered(width, height);
    const padded = padToMultiple(slice, 8);
    expect(padded.width % 8 + padded.height % 8).toBe(0);
    expect(padded.width - width).toBeLessThan(8);
    expect(padded.height - height).toBeLessThan(8);
    expect(crop(padded, width, height)).toEqual(slice);
  });

  it('gives the slice itself where nothing is missing', () => {
    const slice = numbered(16, 8);
    expect(padToMultiple(slice, 8)).toBe(slice);
    expect(crop(slice, 16, 8)).toBe(slice);
  });

  it('refuses a crop that is larger than the slice', () => {
    expect(() => crop(numbered(4, 4), 5, 4)).toThrow('crop: 5 × 4 does not fit in 4 × 4; ask for at most that');
  });
});
