import { expect, test } from 'vitest';
import { compareWithReference } from '../engine/againstReference.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

const TOLERANCE = 3e-6; // a few float32 roundings, mean and variance taken in two passes

test.each([[1, 12], [4, 12], [1, 7], [4, 7], [8, 100]])(
  'layer norm by %i threads a token normalises over its own %i channels', async (lanes, channels) => {
    const variants = { ...GPU_VARIANTS, layerNorm: { lanes } };
    const { error } = await compareWithReference(
      (ops, input) => ops.layerNorm(input('x'), input('weight'), input('bias')),
      { x: [2, 7, 13, channels] }, { weight: [channels], bias: [channels] }, variants,
    );
    expect(error).toBeLessThan(TOLERANCE);
  },
);

test('layer norm keeps eps where a token has almost no variance', async () => {
  const { error } = await compareWithReference(
    (ops, input) => ops.layerNorm(input('x'), input('weight'), input('bias')),
    { x: [1, 3, 5, 8] }, { weight: [8], bias: [8] }, SOFTWARE_VARIANTS, { x: 1e-3, bias: 0 },
  );
  expect(error).toBeLessThan(TOLERANCE);
});
