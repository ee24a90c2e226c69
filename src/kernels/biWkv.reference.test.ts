import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { biWkv, biWkvGradient } from './biWkv.reference.ts';
import { float64Image, zeros, type Float64Image } from './float64Image.ts';
import { gradientError, largestDifference, noise } from './gradientCheck.ts';

/** Eq. 8 as printed, every token against every other, for [1, 1, T, C]; weights relative to the largest of a token. */
function printedEquation(
  key: Float64Image, value: Float64Image, decay: Float64Image, bonus: Float64Image,
): Float64Image {
  const [, , tokens, c] = key.shape;
  const y = zeros(key.shape);
  for (let channel = 0; channel < c; channel++) {
    for (let t = 0; t < tokens; t++) {
      const exponents = Array.from({ length: tokens }, (_, i) => {
        const k = key.data[i * c + channel];
        if (i === t) return bonus.data[channel] / tokens + k;
        return (-(Math.abs(t - i) - 1) * decay.data[channel]) / tokens + k;
      });
      const top = Math.max(...exponents);
      const weights = exponents.map((exponent) => Math.exp(exponent - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      y.data[t * c + channel] = weights.reduce((a, p, i) => a + p * value.data[i * c + channel], 0) / sum;
    }
  }
  return y;
}

/** [1, H, W, C] → [1, W, H, C] */
function turned(x: Float64Image): Float64Image {
  const [, h, w, c] = x.shape;
  const y = zeros([1, w, h, c]);
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      for (let j = 0; j < c; j++) y.data[(column * h + row) * c + j] = x.data[(row * w + column) * c + j];
    }
  }
  return y;
}

describe('Bi-WKV', () => {
  test.for([
    { tokens: 1, keys: 2, decay: 2, bonus: 2 },
    { tokens: 2, keys: 2, decay: 2, bonus: 2 },
    { tokens: 53, keys: 3, decay: 20, bonus: 20 },
    { tokens: 53, keys: 60, decay: 2, bonus: 2 },
    { tokens: 31, keys: 300, decay: 3000, bonus: 30000 },
  ])('equals the printed equation: $tokens tokens, |k| ≤ $keys, |w| ≤ $decay, |u| ≤ $bonus', (sizes) => {
    const { tokens } = sizes;
    const key = noise([1, 1, tokens, 5], 1, sizes.keys);
    const value = noise([1, 1, tokens, 5], 2);
    const [decay, bonus] = [noise([5], 3, sizes.decay), noise([5], 4, sizes.bonus)];
    // Exponents up to 3000 are known to 5e-13, which is the relative error of their exponentials.
    const error = largestDifference(biWkv(key, value, decay, bonus, 'rows'), printedEquation(key, value, decay, bonus));
    expect(error).toBeLessThan(1e-11);
  });

  test('a scan by columns equals a scan by rows of the turned image', () => {
    const [key, value, decay, bonus] = [noise([1, 4, 7, 3], 1), noise([1, 4, 7, 3], 2), noise([3], 3), noise([3], 4)];
    const columns = biWkv(key, value, decay, bonus, 'columns');
    expect(columns).toEqual(turned(biWkv(turned(key), turned(value), decay, bonus, 'rows')));
    expect(columns).not.toEqual(biWkv(key, value, decay, bonus, 'rows'));
  });

  test('a constant added to the keys changes nothing', () => {
    const [key, value, decay, bonus] = [noise([1, 1, 20, 2], 1), noise([1, 1, 20, 2], 2), noise([2], 3), noise([2], 4)];
    const shifted = float64Image(key.shape, key.data.map((k) => k + 1000));
    const y = biWkv(key, value, decay, bonus, 'rows');
    expect(largestDifference(biWkv(shifted, value, decay, bonus, 'rows'), y)).toBeLessThan(1e-12);
  });

  test.for(['rows', 'columns'] as const)('its gradients by %s equal central differences', (scan) => {
    const inputs = [noise([2, 3, 5, 2], 1, 3), noise([2, 3, 5, 2], 2), noise([2], 3, 4), noise([2], 4, 4)];
    const error = gradientError((k, v, w, u) => biWkv(k, v, w, u, scan), (g, k, v, w, u) => {
      const gradient = biWkvGradient(k, v, w, u, scan, g);
      return [gradient.key, gradient.value, gradient.decay, gradient.bonus];
    }, inputs);
    expect(error).toBeLessThan(1e-7);
  });

  test('gradients stay finite for parameters far out', () => {
    const [key, value] = [noise([1, 1, 31, 4], 1, 300), noise([1, 1, 31, 4], 2)];
    const gradient = biWkvGradient(key, value, noise([4], 3, 3000), noise([4], 4, 30000), 'rows', noise(key.shape, 5));
    for (const { data } of Object.values(gradient)) expect(data.every(Number.isFinite)).toBe(true);
  });

  test('a decay of another length and a value of another shape are refused', () => {
    const key = noise([1, 2, 3, 4], 1);
    expect(() => biWkv(key, key, noise([3], 1), noise([4], 1), 'rows')).toThrow(ShapeError);
    expect(() => biWkv(key, noise([1, 3, 2, 4], 1), noise([4], 1), noise([4], 1), 'rows')).toThrow('[1, 3, 2, 4]');
  });
});
