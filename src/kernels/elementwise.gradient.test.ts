import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import {
  activationGradient, mulGradient, scaleGradient, scaleGradientScratch,
} from './elementwise.gradient.ts';
import {
  mulGradient as referenceMulGradient, sigmoid, sigmoidGradient, squaredReluGradient,
} from './elementwise.reference.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

/** One product or two of float32. */
const PRODUCTS = 3e-7;
/** Sums over tokens of terms of either sign, which partly cancel. */
const SUMS = 1e-5;

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));
const SHAPES = [[1, 1, 1, 4], [2, 9, 7, 12], [1, 33, 70, 20]];

describe('gradients of elementwise operators', () => {
  test.each(SHAPES)('of a product are g ⊙ b and g ⊙ a (%i of %i×%i, %i channels)', async (...shape) => {
    const [a, b, g] = [1, 2, 3].map((seed) => rounded(noise(shape, seed)));
    const size = a.data.length;
    const results = await runDispatches(
      await testDevice(), { a: a.data, b: b.data, g: g.data, gA: size, gB: size },
      [mulGradient({ a: 'a', b: 'b', g: 'g', gA: 'gA', gB: 'gB', size })], ['gA', 'gB'],
    );
    const expected = referenceMulGradient(a, b, g);
    expect(largestDifference(float64Image(shape, results.get('gA')!), expected.a)).toBeLessThan(PRODUCTS);
    expect(largestDifference(float64Image(shape, results.get('gB')!), expected.b)).toBeLessThan(PRODUCTS);
  });

  test.each(SHAPES)('of sigmoid and squared relu (%i of %i×%i, %i channels)', async (...shape) => {
    const [x, g] = [rounded(noise(shape, 1, 4)), rounded(noise(shape, 2))];
    const y = rounded(sigmoid(x));
    const size = x.data.length;
    const results = await runDispatches(
      await testDevice(), { x: x.data, y: y.data, g: g.data, gSigmoid: size, gRelu: size },
      [
        activationGradient('sigmoid', { of: 'y', g: 'g', gX: 'gSigmoid', size }),
        activationGradient('squaredRelu', { of: 'x', g: 'g', gX: 'gRelu', size }),
      ], ['gSigmoid', 'gRelu'],
    );
    expect(largestDifference(float64Image(shape, results.get('gSigmoid')!), sigmoidGradient(x, g))).toBeLessThan(PRODUCTS);
    expect(largestDifference(float64Image(shape, results.get('gRelu')!), squaredReluGradient(x, g))).toBeLessThan(PRODUCTS);
  });

  describe.each([['software', SOFTWARE_VARIANTS], ['GPUs', GPU_VARIANTS]])('tiled for %s', (_, { scaleGradient: variant }) => {
    test.each(SHAPES)('of a scale are g ⊙ scale and a sum over tokens (%i of %i×%i, %i channels)', async (...shape) => {
      const channels = shape[3];
      const [x, g, scale] = [rounded(noise(shape, 1)), rounded(noise(shape, 2)), rounded(noise([channels], 3))];
      const size = x.data.length;
      const tokens = size / channels;
      const sizes = { tokens, channels };
      const results = await runDispatches(await testDevice(), {
        x: x.data, g: g.data, scale: scale.data, gX: size, gScale: channels,
        partials: scaleGradientScratch(tokens, channels, variant),
      }, [
        ...scaleGradient({ x: 'x', scale: 'scale', g: 'g', gX: 'gX', gScale: 'gScale', partials: 'partials', ...sizes }, variant),
      ], ['gX', 'gScale']);
      const expected = referenceMulGradient(x, scale, g);
      expect(largestDifference(float64Image(shape, results.get('gX')!), expected.a)).toBeLessThan(PRODUCTS);
      expect(largestDifference(float64Image([channels], results.get('gScale')!), expected.b)).toBeLessThan(SUMS);
    });
  });
});
