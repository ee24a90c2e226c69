import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { gradientError, largestDifference, noise } from './gradientCheck.ts';
import { zeros } from './float64Image.ts';
import { linear, linearGradient } from './linear.reference.ts';

describe('linear', () => {
  // 7 tokens and 6 outputs: whole tiles and both remainders of the matrix product.
  test('every output is the sum over inputs of x times the weight', () => {
    const x = noise([1, 1, 7, 5], 1);
    const weight = noise([5, 6], 2);
    const expected = zeros([1, 1, 7, 6]);
    for (let t = 0; t < 7; t++) {
      for (let o = 0; o < 6; o++) {
        for (let i = 0; i < 5; i++) expected.data[t * 6 + o] += x.data[t * 5 + i] * weight.data[i * 6 + o];
      }
    }
    expect(largestDifference(linear(x, weight), expected)).toBeLessThan(1e-14);
  });

  test('its gradients equal central differences', () => {
    const error = gradientError(linear, (g, x, weight) => {
      const gradient = linearGradient(x, weight, g);
      return [gradient.x, gradient.weight];
    }, [noise([2, 3, 1, 5], 3), noise([5, 6], 4)]);
    expect(error).toBeLessThan(1e-8);
  });

  test('a weight for other channels is refused', () => {
    expect(() => linear(noise([1, 1, 2, 3], 1), noise([4, 3], 1))).toThrow(ShapeError);
  });
});
