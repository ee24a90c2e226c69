import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { conv, convGradient } from './conv.reference.ts';
import { float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';

describe('convolution', () => {
  test('a 3×3 of ones counts the neighbours that are inside, zero padding the rest', () => {
    const ones = float64Image([1, 3, 4, 1], new Float64Array(12).fill(1));
    const y = conv(ones, float64Image([3, 3, 1, 1], new Float64Array(9).fill(1)), null);
    expect([...y.data]).toEqual([4, 6, 6, 4, 6, 9, 9, 6, 4, 6, 6, 4]);
  });

  test('tap (i, j) looks i − 1 rows down and j − 1 columns right, as PyTorch does', () => {
    const x = float64Image([1, 2, 3, 1], [1, 2, 3, 4, 5, 6]);
    const tap = (i: number, j: number) => {
      const weight = float64Image([3, 3, 1, 1], Array.from({ length: 9 }, (_, at) => (at === 3 * i + j ? 1 : 0)));
      return [...conv(x, weight, null).data];
    };
    expect(tap(1, 2)).toEqual([2, 3, 0, 5, 6, 0]);
    expect(tap(0, 1)).toEqual([0, 0, 0, 1, 2, 3]);
    expect(tap(2, 0)).toEqual([0, 4, 5, 0, 0, 0]);
  });

  test('a 1×1 with bias maps the channels of each pixel of each image', () => {
    const x = float64Image([2, 1, 1, 2], [1, 2, 3, 4]);
    const y = conv(x, float64Image([1, 1, 2, 3], [1, 0, 2, 0, 1, 10]), float64Image([3], [100, 200, 300]));
    expect(y.shape).toEqual([2, 1, 1, 3]);
    expect([...y.data]).toEqual([101, 202, 322, 103, 204, 346]);
  });

  test.for([[3, 6], [1, 5]])('the gradients of a %i×%i equal central differences', ([k, outputs]) => {
    const inputs = [noise([2, 3, 5, 3], 1), noise([k, k, 3, outputs], 2), noise([outputs], 3)];
    const error = gradientError(conv, (g, x, weight, bias) => {
      const gradient = convGradient(x, weight, bias, g);
      return [gradient.x, gradient.weight, gradient.bias ?? bias];
    }, inputs);
    expect(error).toBeLessThan(1e-8);
  });

  test('an image narrower than the kernel is no special case', () => {
    const y = conv(float64Image([1, 1, 1, 1], [2]), noise([3, 3, 1, 1], 4), null);
    expect(y.data[0]).toBe(2 * noise([3, 3, 1, 1], 4).data[4]);
  });

  test('a weight for other channels is refused with both shapes', () => {
    expect(() => conv(noise([1, 4, 4, 2], 1), noise([3, 3, 5, 1], 1), null)).toThrow(ShapeError);
    expect(() => conv(noise([1, 4, 4, 2], 1), noise([3, 3, 5, 1], 1), null)).toThrow('[3, 3, 5, 1]');
  });
});
