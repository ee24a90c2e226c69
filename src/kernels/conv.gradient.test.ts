import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { convGradient, convGradientScratch, convTight, tightView } from './conv.gradient.ts';
import { conv, convGradient as reference } from './conv.reference.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));
/** Batch, height, width, inputs and outputs: vectors of four, two and one on either side. */
const SIZES: [number, number, number, number, number][] = [
  [2, 9, 14, 12, 24], [1, 1, 1, 4, 4], [2, 13, 7, 12, 6], [1, 6, 21, 1, 12], [2, 17, 10, 8, 1], [2, 3, 1, 3, 5],
  [1, 41, 33, 4, 8],
];

describe.each([
  ['through registers', SOFTWARE_VARIANTS.convGradient], ['through workgroup memory', GPU_VARIANTS.convGradient],
])('the 3×3 convolution on tight layouts, %s,', (_, variant) => {
  test.each(SIZES)('is that of the reference (%i of %i×%i, %i→%i channels)', async (n, h, w, inputs, outputs) => {
    const [x, weight] = [rounded(noise([n, h, w, inputs], 1)), rounded(noise([3, 3, inputs, outputs], 2))];
    const bias = rounded(noise([outputs], 3));
    const shape = [n, h, w, outputs];
    const views = { x: tightView('x', x.shape), weight: 'weight', y: tightView('y', shape) };
    const buffers = { x: x.data, weight: weight.data, bias: bias.data, y: n * h * w * outputs };
    const device = await testDevice();
    const withBias = await runDispatches(device, buffers, convTight({ ...views, bias: 'bias' }, variant), ['y']);
    const without = await runDispatches(device, buffers, convTight(views, variant), ['y']);
    // Sums of up to 180 products.
    expect(largestDifference(float64Image(shape, withBias.get('y')!), conv(x, weight, bias))).toBeLessThan(5e-6);
    expect(largestDifference(float64Image(shape, without.get('y')!), conv(x, weight, null))).toBeLessThan(5e-6);
  });

  test.each(SIZES)('has its gradients (%i of %i×%i, %i→%i channels)', async (n, h, w, inputs, outputs) => {
    const [x, g] = [rounded(noise([n, h, w, inputs], 4)), rounded(noise([n, h, w, outputs], 5))];
    const [weight, bias] = [rounded(noise([3, 3, inputs, outputs], 6)), noise([outputs], 7)];
    const results = await runDispatches(await testDevice(), {
      x: x.data, g: g.data, weight: weight.data,
      gX: x.data.length, gWeight: weight.data.length, gBias: outputs,
      partials: convGradientScratch({ batch: n, height: h, width: w, inputs, outputs }, variant),
    }, convGradient({
      x: tightView('x', x.shape), weight: 'weight', g: tightView('g', g.shape),
      gX: tightView('gX', x.shape), gWeight: 'gWeight', gBias: 'gBias', partials: 'partials',
    }, variant), ['gX', 'gWeight', 'gBias']);
    const expected = reference(x, weight, bias, g);
    // Sums of up to 216 products; and over up to 1353 pixels of terms that partly cancel.
    expect(largestDifference(float64Image(x.shape, results.get('gX')!), expected.x)).toBeLessThan(5e-6);
    expect(largestDifference(float64Image(weight.shape, results.get('gWeight')!), expected.weight)).toBeLessThan(1e-5);
    expect(largestDifference(float64Image([outputs], results.get('gBias')!), expected.bias!)).toBeLessThan(1e-5);
  });
});

test('the convolution and its gradient refuse images of other sizes', () => {
  const [x, y] = [tightView('x', [1, 3, 5, 4]), tightView('y', [1, 3, 6, 4])];
  const { convGradient: variant } = SOFTWARE_VARIANTS;
  expect(() => convTight({ x, weight: 'weight', y }, variant))
    .toThrow('y or its gradient of 1×3×6 pixels meets x of 1×3×5; they must be the same');
  const gradient = { x, weight: 'weight', g: x, gX: y, gWeight: null, gBias: null, partials: 'partials' };
  expect(() => convGradient(gradient, variant))
    .toThrow('gX of 18 pixels of 4 channels meets x of 15 pixels of 4 channels');
});
