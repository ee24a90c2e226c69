import { describe, expect, test } from 'vitest';
import { compareWithReference } from '../engine/againstReference.ts';
import type { Program } from '../model/ops.ts';
import { GPU_VARIANTS } from './variants.ts';

const TOLERANCE = 5e-6; // 25 products of values that a layer norm rounded a few times

const program: Program = (ops, input) =>
  ops.omniShift(ops.layerNorm(input('x'), input('weight'), input('bias')), input('kernel'));
const weightsFor = (c: number) => ({ weight: [c], bias: [c], kernel: [5, 5, c] });

describe('Omni-Shift of a layer norm', () => {
  test.each([[8, 8, 12], [1, 1, 4], [9, 19, 24], [13, 5, 7], [2, 17, 100]])(
    'is both, one after the other, with zeros outside of the image (%i×%i, %i channels)', async (height, width, channels) => {
      const { error } = await compareWithReference(
        program, { x: [2, height, width, channels] }, weightsFor(channels), GPU_VARIANTS,
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );

  test('keeps a small variance beside a mean a thousand times as large', async () => {
    // x = 1000 + (−1 … 1): float32 keeps 6e-5 of such a value, and the deviation is some 0.6.
    const { error } = await compareWithReference(
      (ops, input) => program(ops, (name) => (name === 'x' ? ops.add(input('x'), input('offset')) : input(name))),
      { x: [1, 6, 10, 12], offset: [1, 6, 10, 12] }, weightsFor(12), GPU_VARIANTS, { x: 1, offset: 1000 },
    );
    expect(error).toBeLessThan(5e-4);
  });
});
