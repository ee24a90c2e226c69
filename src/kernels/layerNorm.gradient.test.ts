import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { wholeView } from './kernel.ts';
import { layerNormGradient, layerNormGradientScratch } from './layerNorm.gradient.ts';
import { layerNormGradient as reference } from './layerNorm.reference.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

async function errors(shape: readonly number[], variant: typeof GPU_VARIANTS.layerNormGradient, scale = 1) {
  const channels = shape[3]!;
  const [x, g] = [rounded(noise(shape, 1, scale)), rounded(noise(shape, 2))];
  const [weight, bias] = [rounded(noise([channels], 3)), noise([channels], 4)];
  const scratch = layerNormGradientScratch({ tokens: shape[0]! * shape[1]! * shape[2]!, channels }, variant);
  const view = (name: string) => wholeView(name, shape);
  const results = await runDispatches(await testDevice(), {
    x: x.data, g: g.data, weight: weight.data,
    gX: x.data.length, gWeight: channels, gBias: channels, partials: scratch,
  }, layerNormGradient({
    x: view('x'), weight: 'weight', g: view('g'), gX: view('gX'), gWeight: 'gWeight', gBias: 'gBias',
    partials: 'partials',
  }, variant), ['gX', 'gWeight', 'gBias']);
  const expected = reference(x, weight, bias, g);
  return {
    x: largestDifference(float64Image(shape, results.get('gX')!), expected.x),
    weight: largestDifference(float64Image([channels], results.get('gWeight')!), expected.weight),
    bias: largestDifference(float64Image([channels], results.get('gBias')!), expected.bias),
  };
}

describe.each([
  ['one thread a token', SOFTWARE_VARIANTS.layerNormGradient],
  ['threads sharing tokens', GPU_VARIANTS.layerNormGradient],
])('the gradient of layer norm by %s', (_, variant) => {
  test.each([[2, 9, 14, 12], [1, 1, 1, 4], [2, 33, 41, 24], [1, 5, 3, 100], [1, 3, 7, 384]])(
    'is that of the float64 reference (%i of %i×%i, %i channels)', async (...shape) => {
      const error = await errors(shape, variant);
      // A few roundings of x, beside averages over channels; sums over up to 2706 tokens of terms that partly cancel.
      expect(error.x).toBeLessThan(3e-6);
      expect(error.weight).toBeLessThan(1e-5);
      expect(error.bias).toBeLessThan(1e-5);
    },
  );

  test('keeps eps where tokens have almost no variance', async () => {
    expect((await errors([1, 7, 5, 12], variant, 1e-3)).x).toBeLessThan(3e-6);
  });
});

test('the gradient of layer norm refuses what has other channels than x, or no whole vectors', () => {
  const call = (channels: number, others: number) => () => layerNormGradient({
    x: wholeView('x', [1, 3, 5, channels]), weight: 'weight', g: wholeView('g', [1, 3, 5, others]),
    gX: wholeView('gX', [1, 3, 5, channels]), gWeight: 'gWeight', gBias: 'gBias', partials: 'partials',
  }, SOFTWARE_VARIANTS.layerNormGradient);
  expect(call(8, 12)).toThrow('layerNorm gradient: 15 pixels of 12 channels meet 15 pixels of 8 channels of x');
  expect(call(6, 6)).toThrow('layerNorm gradient: x has 6 channels, expected a multiple of 4');
});
