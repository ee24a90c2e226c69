import { describe, expect, test } from 'vitest';
import { ShapeError } from '../model/ops.ts';
import {
  add, mul, mulGradient, sigmoid, sigmoidGradient, squaredRelu, squaredReluGradient,
} from './elementwise.reference.ts';
import { float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';

describe('elementwise operators', () => {
  test('a factor [C] multiplies every token', () => {
    const a = float64Image([1, 1, 3, 2], [1, 2, 3, 4, 5, 6]);
    expect([...mul(a, float64Image([2], [10, -1])).data]).toEqual([10, -2, 30, -4, 50, -6]);
  });

  test('sigmoid is right at zero and saturates without NaN', () => {
    expect([...sigmoid(float64Image([1, 1, 1, 3], [0, 800, -800])).data]).toEqual([0.5, 1, 0]);
  });

  test('squared ReLU is zero below zero and the square above', () => {
    expect([...squaredRelu(float64Image([1, 1, 1, 3], [-3, 0, 3])).data]).toEqual([0, 0, 9]);
  });

  test.for([{ b: [2, 1, 3, 4] }, { b: [4] }])('the gradients of mul by $b equal central differences', ({ b }) => {
    const error = gradientError(mul, (g, x, y) => {
      const gradient = mulGradient(x, y, g);
      return [gradient.a, gradient.b];
    }, [noise([2, 1, 3, 4], 1), noise(b, 2)]);
    expect(error).toBeLessThan(1e-8);
  });

  test('the gradients of sigmoid and squared ReLU equal central differences', () => {
    const x = noise([1, 3, 5, 2], 3, 4);
    expect(gradientError(sigmoid, (g, input) => [sigmoidGradient(input, g)], [x])).toBeLessThan(1e-8);
    expect(gradientError(squaredRelu, (g, input) => [squaredReluGradient(input, g)], [x])).toBeLessThan(1e-8);
  });

  test('shapes that do not fit are refused', () => {
    expect(() => add(noise([1, 2, 3, 4], 1), noise([1, 3, 2, 4], 1))).toThrow(ShapeError);
    expect(() => mul(noise([1, 2, 3, 4], 1), noise([3], 1))).toThrow('[1, 2, 3, 4] or [4]');
  });
});
