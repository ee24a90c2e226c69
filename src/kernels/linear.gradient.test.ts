import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { tightView } from './conv.gradient.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { wholeView } from './kernel.ts';
import { biasGradient, biasGradientScratch, linearGradient, linearGradientScratch } from './linear.gradient.ts';
import { linearGradient as reference } from './linear.reference.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

describe.each([
  ['through registers', SOFTWARE_VARIANTS.linearGradient], ['through workgroup memory', GPU_VARIANTS.linearGradient],
])('the gradient of linear %s', (_, variant) => {
  test.each([
    [2, 9, 14, 12, 48], [1, 1, 1, 4, 4], [2, 33, 41, 12, 12], [1, 5, 3, 100, 36],
  ])('is that of the float64 reference (%i of %i×%i, %i→%i channels)', async (n, h, w, inputs, outputs) => {
    const [xShape, gShape] = [[n, h, w, inputs], [n, h, w, outputs]];
    const [x, g] = [rounded(noise(xShape, 1)), rounded(noise(gShape, 2))];
    const weight = rounded(noise([inputs, outputs], 3));
    const size = { tokens: n * h * w, inputs, outputs };
    const results = await runDispatches(await testDevice(), {
      x: x.data, g: g.data, weight: weight.data, gX: x.data.length, gWeight: weight.data.length, gBias: outputs,
      partials: linearGradientScratch(size, variant),
    }, linearGradient({
      x: wholeView('x', xShape), weight: 'weight', g: wholeView('g', gShape), gX: wholeView('gX', xShape),
      gWeight: 'gWeight', gBias: 'gBias', partials: 'partials',
    }, variant), ['gX', 'gWeight', 'gBias']);
    const expected = reference(x, weight, g);
    // Sums of up to 48 products; and over up to 2706 tokens, in threads of some hundreds, of terms that partly cancel.
    expect(largestDifference(float64Image(xShape, results.get('gX')!), expected.x)).toBeLessThan(3e-6);
    expect(largestDifference(float64Image(weight.shape, results.get('gWeight')!), expected.weight)).toBeLessThan(1e-5);
    expect(largestDifference(float64Image([outputs], results.get('gBias')!), sumOfPixels(g))).toBeLessThan(1e-5);
  });

  test('reads and writes parts of wider tensors, and only what is wanted', async () => {
    const [n, h, w, inputs, outputs] = [1, 3, 7, 8, 12];
    const [x, g] = [rounded(noise([n, h, w, inputs], 4)), rounded(noise([n, h, w, outputs], 5))];
    const weight = rounded(noise([inputs, outputs], 6));
    const pixels = n * h * w;
    const wide = (narrow: Float64Image, channels: number) => {
      const data = new Float64Array(pixels * 24).fill(NaN);
      narrow.data.forEach((value, i) => (data[Math.floor(i / channels) * 24 + 4 + (i % channels)] = value));
      return data;
    };
    const part = (name: string, channels: number) =>
      ({ ...wholeView(name, [n, h, w, channels]), offset: 4, stride: 24 });
    const size = { tokens: pixels, inputs, outputs };
    const buffers = {
      x: wide(x, inputs), g: wide(g, outputs), weight: weight.data, gX: pixels * 24, gWeight: inputs * outputs,
      partials: linearGradientScratch(size, variant),
    };
    const shared = { x: part('x', inputs), weight: 'weight', g: part('g', outputs), partials: 'partials' };
    const device = await testDevice();
    const onlyX = linearGradient({ ...shared, gX: part('gX', inputs), gWeight: null }, variant);
    const onlyWeight = linearGradient({ ...shared, gX: null, gWeight: 'gWeight' }, variant);
    const gX = (await runDispatches(device, buffers, onlyX, ['gX'])).get('gX')!;
    const gWeight = (await runDispatches(device, buffers, onlyWeight, ['gWeight'])).get('gWeight')!;
    const expected = reference(x, weight, g);
    const narrow = gX.filter((_, i) => i % 24 >= 4 && i % 24 < 4 + inputs);
    expect(largestDifference(float64Image(x.shape, narrow), expected.x)).toBeLessThan(3e-6);
    expect(largestDifference(float64Image(weight.shape, gWeight), expected.weight)).toBeLessThan(3e-6);
  });
});

test.each([[2, 9, 7, 5], [1, 16, 24, 1], [1, 5, 5, 6]])(
  'the gradient of a bias is the sum over pixels (%i of %i×%i, %i channels)', async (n, h, w, outputs) => {
    const g = rounded(noise([n, h, w, outputs], 7));
    const results = await runDispatches(await testDevice(), {
      g: g.data, gBias: outputs, partials: biasGradientScratch({ tokens: n * h * w, outputs }),
    }, biasGradient({ g: tightView('g', g.shape), gBias: 'gBias', partials: 'partials' }), ['gBias']);
    expect(largestDifference(float64Image([outputs], results.get('gBias')!), sumOfPixels(g))).toBeLessThan(3e-6);
  },
);

test('the gradient of linear refuses channels that are no multiples of four, and images of other sizes', () => {
  const call = (x: number[], g: number[]) => () => linearGradient({
    x: wholeView('x', x), weight: 'weight', g: wholeView('g', g), gX: null, gWeight: 'gWeight', partials: 'partials',
  }, SOFTWARE_VARIANTS.linearGradient);
  expect(call([1, 3, 5, 6], [1, 3, 5, 8])).toThrow('linear gradient: 6→8 channels, expected multiples of 4');
  expect(call([1, 3, 5, 8], [1, 3, 6, 8])).toThrow('g of 18 pixels meet x of 15 pixels × 8 channels; they must fit');
});

function sumOfPixels({ shape, data }: Float64Image): Float64Image {
  const channels = shape[3]!;
  const sums = new Float64Array(channels);
  data.forEach((value, i) => (sums[i % channels]! += value));
  return { shape: [channels], data: sums };
}
