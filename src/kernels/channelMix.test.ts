import { describe, expect, test } from 'vitest';
import { compareWithReference, testDevice } from '../engine/againstReference.ts';
import { channelMix as mixed } from '../model/restoreRwkv.ts';
import { channelMix } from './channelMix.ts';
import { wholeView } from './kernel.ts';
import { GPU_VARIANTS, variantSets } from './variants.ts';

// Two sums of up to 4·96 float32 products, the first squared: some 400 · 6e-8 of the largest term.
const TOLERANCE = 1e-5;

/** The mix of already shifted tokens, which a kernel of 1 at the centre leaves as they are. */
const weightsFor = (c: number) => ({
  'at.omni_shift': [5, 5, c], 'at.receptance.weight': [c, c], 'at.key.weight': [c, 4 * c], 'at.value.weight': [4 * c, c],
  gamma: [c],
});

describe.each(variantSets(await testDevice()))('channel mix, %s tiles', (_, variants) => {
  test.each([[1, 1, 4], [7, 9, 12], [9, 15, 24], [5, 3, 6], [3, 11, 96], [2, 2, 100]])(
    'is eqs. 5–7 for %i×%i pixels of %i channels', async (height, width, channels) => {
      const { error } = await compareWithReference(
        (ops, input) => ops.add(
          input('x'), ops.mul(mixed(ops, input, 'at', input('x')), input('gamma')),
        ),
        { x: [2, height, width, channels] }, weightsFor(channels), variants,
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );
});

test.each([[9, 19, 12], [13, 5, 7], [1, 1, 24], [5, 11, 28]])(
  'channel mix for GPUs goes through layer norm and Omni-Shift first (%i×%i pixels of %i channels)',
  async (height, width, channels) => {
    const { error } = await compareWithReference(
      (ops, input) => {
        const normalised = ops.layerNorm(input('x'), input('weight'), input('bias'));
        return ops.add(input('x'), ops.mul(mixed(ops, input, 'at', normalised), input('gamma')));
      },
      { x: [2, height, width, channels] }, { ...weightsFor(channels), weight: [channels], bias: [channels] }, GPU_VARIANTS,
    );
    expect(error).toBeLessThan(TOLERANCE);
  },
);

test('channel mix refuses a residual of another size', () => {
  const view = (height: number) => wholeView('buffer', [1, height, 8, 4]);
  const call = () => channelMix(
    { x: view(8), y: view(8), residual: view(9), inward: 'buffer', outward: 'buffer', hidden: 16 }, GPU_VARIANTS.channelMix!,
  );
  expect(call).toThrow('channelMix: 72 pixels meet 64 pixels of x; they must be the same');
});
