import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { concat, concatGradient } from './concat.reference.ts';
import { float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';

describe('concatenation of channels', () => {
  test('puts the channels of the second image behind those of the first, pixel by pixel', () => {
    const y = concat(float64Image([1, 1, 2, 1], [1, 2]), float64Image([1, 1, 2, 2], [10, 11, 20, 21]));
    expect(y.shape).toEqual([1, 1, 2, 3]);
    expect([...y.data]).toEqual([1, 10, 11, 2, 20, 21]);
  });

  test('its gradients equal central differences', () => {
    const error = gradientError(concat, (g, a, b) => {
      const gradient = concatGradient(a, b, g);
      return [gradient.a, gradient.b];
    }, [noise([2, 1, 3, 2], 1), noise([2, 1, 3, 5], 2)]);
    expect(error).toBeLessThan(1e-8);
  });

  test('images of different sizes are refused', () => {
    expect(() => concat(noise([1, 2, 3, 1], 1), noise([1, 3, 2, 1], 1))).toThrow(ShapeError);
  });
});
