import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';
import { layerNorm, layerNormGradient } from './layerNorm.reference.ts';

describe('layer norm', () => {
  test('divides by the biased deviation with 1e-5 added to the variance', () => {
    const y = layerNorm(float64Image([1, 1, 1, 2], [1, 5]), float64Image([2], [1, 10]), float64Image([2], [0, 3]));
    // mean 3, variance 4
    const n = 2 / Math.sqrt(4 + 1e-5);
    expect(y.data[0]).toBeCloseTo(-n, 14);
    expect(y.data[1]).toBeCloseTo(10 * n + 3, 14);
  });

  test('a constant token gives the bias', () => {
    const y = layerNorm(float64Image([1, 1, 1, 3], [7, 7, 7]), noise([3], 1), float64Image([3], [1, 2, 3]));
    expect([...y.data]).toEqual([1, 2, 3]);
  });

  test('its gradients equal central differences', () => {
    const error = gradientError(layerNorm, (g, x, weight, bias) => {
      const gradient = layerNormGradient(x, weight, bias, g);
      return [gradient.x, gradient.weight, gradient.bias];
    }, [noise([2, 3, 1, 5], 1), noise([5], 2), noise([5], 3)]);
    expect(error).toBeLessThan(1e-8);
  });

  test('a weight of another length is refused', () => {
    expect(() => layerNorm(noise([1, 1, 1, 3], 1), noise([4], 1), noise([3], 1))).toThrow(ShapeError);
  });
});
