import { describe, expect, test } from 'vitest';
import { compareWithReference } from '../engine/againstReference.ts';
import type { Ops, Program } from '../model/ops.ts';
import { wholeView } from './kernel.ts';
import { shiftedLinear } from './shiftedLinear.ts';
import { GPU_VARIANTS } from './variants.ts';

const TOLERANCE = 5e-6; // 25 products of normalised values, then sums of up to 48 of them

/** Key and value of the same shifted tokens, so that they become one kernel's two outputs, and their product. */
const program: Program = <T>(ops: Ops<T>, input: (name: string) => T): T => {
  const shifted = ops.omniShift(ops.layerNorm(input('x'), input('weight'), input('bias')), input('kernel'));
  return ops.mul(ops.linear(shifted, input('K')), ops.linear(shifted, input('V')));
};
const weightsFor = (inputs: number, outputs: number) =>
  ({ weight: [inputs], bias: [inputs], kernel: [5, 5, inputs], K: [inputs, outputs], V: [inputs, outputs] });

describe('projections of the Omni-Shift of a layer norm', () => {
  test.each([[8, 8, 12, 12], [1, 1, 4, 8], [9, 19, 24, 24], [13, 5, 7, 9], [3, 17, 48, 48], [4, 6, 52, 12]])(
    'are the projections of both, one after the other (%i×%i, %i→%i channels)', async (height, width, inputs, outputs) => {
      const { error } = await compareWithReference(
        program, { x: [2, height, width, inputs] }, weightsFor(inputs, outputs), GPU_VARIANTS,
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );

  test('are refused for tokens that no tile holds', () => {
    const view = (channels: number) => wholeView('buffer', [1, 8, 8, channels]);
    const shift = { weight: 'weight', bias: 'bias', kernel: 'kernel' };
    expect(() => shiftedLinear({ x: view(52), shift, weight: 'W', y: view(12) }))
      .toThrow('shiftedLinear: 52 channels; a tile holds at most 48');
  });
});
