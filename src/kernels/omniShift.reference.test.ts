import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import { float64Image, zeros, type Float64Image } from './float64Image.ts';
import { gradientError, largestDifference, noise } from './gradientCheck.ts';
import { mergeOmniShift, mergeOmniShiftGradient } from './mergeOmniShift.reference.ts';
import { omniShift, omniShiftGradient } from './omniShift.reference.ts';

/** Depth-wise convolution of [1, H, W, C] with weights (C, 1, k, k) as PyTorch defines it. */
function depthwise(x: Float64Image, weight: Float64Image): Float64Image {
  const [, h, w, c] = x.shape;
  const k = weight.shape[2];
  const y = zeros(x.shape);
  for (let row = 0; row < h; row++) {
    for (let column = 0; column < w; column++) {
      for (let channel = 0; channel < c; channel++) {
        for (let i = 0; i < k; i++) {
          for (let j = 0; j < k; j++) {
            const [r, s] = [row + i - (k - 1) / 2, column + j - (k - 1) / 2];
            if (r < 0 || r >= h || s < 0 || s >= w) continue;
            y.data[(row * w + column) * c + channel] +=
              x.data[(r * w + s) * c + channel] * weight.data[(channel * k + i) * k + j];
          }
        }
      }
    }
  }
  return y;
}

const branches = {
  alpha: noise([4], 1),
  conv1x1: noise([3, 1, 1, 1], 2),
  conv3x3: noise([3, 1, 3, 3], 3),
  conv5x5: noise([3, 1, 5, 5], 4),
};

describe('Omni-Shift', () => {
  test('merged, it equals the sum of its branches (eq. 11)', () => {
    const x = noise([1, 4, 7, 3], 5);
    const parts = [x, depthwise(x, branches.conv1x1), depthwise(x, branches.conv3x3), depthwise(x, branches.conv5x5)];
    const expected = zeros(x.shape);
    parts.forEach((part, b) => part.data.forEach((v, at) => (expected.data[at] += branches.alpha.data[b] * v)));
    expect(largestDifference(omniShift(x, mergeOmniShift(branches)), expected)).toBeLessThan(1e-14);
  });

  test('images of a batch do not see each other', () => {
    const x = noise([2, 3, 4, 3], 6);
    const kernel = noise([5, 5, 3], 7);
    const second = float64Image([1, 3, 4, 3], x.data.slice(36));
    expect([...omniShift(x, kernel).data.slice(36)]).toEqual([...omniShift(second, kernel).data]);
  });

  test('its gradients equal central differences', () => {
    const error = gradientError(omniShift, (g, x, kernel) => {
      const gradient = omniShiftGradient(x, kernel, g);
      return [gradient.x, gradient.kernel];
    }, [noise([2, 3, 6, 2], 8), noise([5, 5, 2], 9)]);
    expect(error).toBeLessThan(1e-8);
  });

  test('the gradients of alpha and the branches equal central differences', () => {
    const named = ([alpha, conv1x1, conv3x3, conv5x5]: Float64Image[]) => ({ alpha, conv1x1, conv3x3, conv5x5 });
    const error = gradientError((...inputs) => mergeOmniShift(named(inputs)), (g, ...inputs) => {
      const { alpha, conv1x1, conv3x3, conv5x5 } = mergeOmniShiftGradient(named(inputs), g);
      return [alpha, conv1x1, conv3x3, conv5x5];
    }, Object.values(branches));
    expect(error).toBeLessThan(1e-8);
  });

  test('a kernel or a branch of another shape is refused', () => {
    expect(() => omniShift(noise([1, 4, 4, 3], 1), noise([5, 5, 4], 1))).toThrow(ShapeError);
    expect(() => mergeOmniShift({ ...branches, conv3x3: noise([2, 1, 3, 3], 1) })).toThrow('[2, 1, 3, 3]');
  });
});
