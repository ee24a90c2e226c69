import { describe, expect, test } from 'vitest';
import { compareWithReference, testDevice } from '../engine/againstReference.ts';
import { conv } from './conv.ts';
import { wholeView } from './kernel.ts';
import { GPU_VARIANTS, variantSets } from './variants.ts';

const TOLERANCE = 6e-6; // sums of up to 9 · 24 float32 products

describe.each(variantSets(await testDevice()))('conv 3×3, %s tiles', (_, variants) => {
  test.each([[9, 14, 12, 8], [1, 1, 4, 4], [3, 67, 6, 10]])(
    'pads with zeros and adds the bias (%i×%i, %i→%i channels)', async (h, w, inputs, outputs) => {
      const { error } = await compareWithReference(
        (ops, input) => ops.conv(input('x'), input('W'), input('b')),
        { x: [2, h, w, inputs] }, { W: [3, 3, inputs, outputs], b: [outputs] }, variants,
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );

  test('reads an image of one channel, and adds it to a result of one channel', async () => {
    const { error } = await compareWithReference(
      (ops, input) => ops.add(input('x'), ops.conv(ops.conv(input('x'), input('W'), null), input('V'), input('b'))),
      { x: [1, 10, 13, 1] }, { W: [3, 3, 1, 5], V: [3, 3, 5, 1], b: [1] }, variants,
    );
    expect(error).toBeLessThan(TOLERANCE);
  });

  test.each([[12, 24], [24, 20]])('writes through pixel-shuffle (%i→%i channels)', async (inputs, outputs) => {
    const { error, shape } = await compareWithReference(
      (ops, input) => ops.linear(ops.pixelShuffle(ops.conv(input('x'), input('W'), null)), input('V')),
      { x: [2, 5, 7, inputs] }, { W: [3, 3, inputs, outputs], V: [outputs / 4, 4] }, variants,
    );
    expect(shape).toEqual([2, 10, 14, 4]);
    expect(error).toBeLessThan(TOLERANCE);
  });

  test.each([[12, 6], [4, 2], [8, 3]])('writes through pixel-unshuffle (%i→%i channels)', async (inputs, outputs) => {
    const { error, shape } = await compareWithReference(
      (ops, input) => ops.pixelUnshuffle(ops.conv(input('x'), input('W'), null)),
      { x: [2, 6, 10, inputs] }, { W: [3, 3, inputs, outputs] }, variants,
    );
    expect(shape).toEqual([2, 3, 5, 4 * outputs]);
    expect(error).toBeLessThan(TOLERANCE);
  });
});

test('conv refuses an output that its rearrangement cannot fill', () => {
  const view = (size: number) => wholeView('buffer', [1, size, size, 4]);
  expect(() => conv({ x: view(8), y: view(8), weight: 'buffer', rearrange: 'shuffle' }, GPU_VARIANTS.conv))
    .toThrow('conv: 8×8 with shuffle gives 16×16, not 8×8');
});
