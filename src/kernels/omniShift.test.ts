import { expect, test } from 'vitest';
import { compareWithReference, testDevice } from '../engine/againstReference.ts';
import { GPU_VARIANTS, variantSets } from './variants.ts';

const TOLERANCE = 3e-6; // sums of 25 float32 products

test.each([
  [8, 9, 14, 12], [4, 9, 14, 12], [8, 1, 1, 4], [4, 2, 19, 6],
  [8, 17, 3, 20],
])('omni-shift is a depth-wise 5×5 with zeros outside the image (%i pixels a thread, %i×%i, %i channels)', async (pixels, h, w, channels) => {
  const variants = { ...GPU_VARIANTS, omniShift: { pixels, rows: 1 } };
  const { error } = await compareWithReference(
    (ops, input) => ops.omniShift(input('x'), input('kernel')),
    { x: [2, h, w, channels] }, { kernel: [5, 5, channels] }, variants,
  );
  expect(error).toBeLessThan(TOLERANCE);
});

test.each(variantSets(await testDevice()))('omni-shift, %s tiles, is the same for images that no tile divides', async (_, variants) => {
  for (const [h, w] of [[6, 19], [1, 1], [9, 71]]) {
    const { error } = await compareWithReference(
      (ops, input) => ops.omniShift(input('x'), input('kernel')), { x: [2, h!, w!, 12] }, { kernel: [5, 5, 12] }, variants,
    );
    expect(error).toBeLessThan(TOLERANCE);
  }
});
