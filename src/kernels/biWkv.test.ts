import { describe, expect, test } from 'vitest';
import { compareWithReference, testDevice } from '../engine/againstReference.ts';
import { biWkvScratch } from './biWkv.ts';
import { GPU_VARIANTS, variantSets } from './variants.ts';

// exp of exponents up to 20 in float32 is off by 20 · 6e-8, and numerator and denominator each sum many such terms.
const TOLERANCE = 1e-5;

const shapes = (h: number, w: number, c: number) => [
  { key: [2, h, w, c], value: [2, h, w, c], receptance: [2, h, w, c] }, { decay: [c], bonus: [c] },
] as const;

describe.each(variantSets(await testDevice()))('Bi-WKV, %s tiles', (_, variants) => {
  test.each([[1, 1, 4], [1, 2, 4], [6, 10, 8], [13, 7, 5], [37, 29, 12]])(
    'is eq. 8 along rows (%i×%i, %i channels)', async (h, w, c) => {
      const { error } = await compareWithReference(
        (ops, input) => ops.biWkv(input('key'), input('value'), input('decay'), input('bonus'), 'rows'),
        ...shapes(h, w, c), variants, { key: 4, decay: 2, bonus: 2 },
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );

  test.each([[6, 10, 8], [13, 7, 5], [37, 29, 12]])('is eq. 8 along columns (%i×%i, %i channels)', async (h, w, c) => {
    const { error } = await compareWithReference(
      (ops, input) => ops.biWkv(input('key'), input('value'), input('decay'), input('bonus'), 'columns'),
      ...shapes(h, w, c), variants, { key: 4, decay: 2, bonus: 2 },
    );
    expect(error).toBeLessThan(TOLERANCE);
  });

  test.each([20, 300])('stays finite and right for keys to ±60 and decays to ±%i', async (decay) => {
    const { error } = await compareWithReference(
      (ops, input) => ops.biWkv(input('key'), input('value'), input('decay'), input('bonus'), 'rows'),
      ...shapes(11, 9, 8), variants, { key: 60, decay, bonus: 20 },
    );
    // A key near 60 has a float32 spacing of 4e-6, a position term near 300 one of 3e-5: those are exponents.
    expect(error).toBeLessThan(decay > 100 ? 1e-4 : 2e-5);
  });

  test('is the same for sequences that one workgroup cannot hold', async () => {
    // 67 × 71 = 4757 tokens, more than the 4096 of either set of tiles; 61 × 67 = 4087, a few less.
    for (const [h, w] of [[67, 71], [61, 67]] as const) {
      const { error } = await compareWithReference(
        (ops, input) => ops.biWkv(input('key'), input('value'), input('decay'), input('bonus'), 'columns'),
        ...shapes(h, w, 5), variants, { key: 4, decay: 2, bonus: 2 },
      );
      expect(error).toBeLessThan(TOLERANCE);
    }
  });

  test('is gated by the receptance as it is written', async () => {
    const { error } = await compareWithReference(
      (ops, input) => ops.mul(
        ops.sigmoid(input('receptance')),
        ops.biWkv(input('key'), input('value'), input('decay'), input('bonus'), 'columns'),
      ),
      ...shapes(9, 12, 8), variants, { receptance: 5 },
    );
    expect(error).toBeLessThan(TOLERANCE);
  });
});

test('a chunk is short enough for the position term to stay within e^±20', () => {
  const shape = { batch: 1, height: 8, width: 8, lanes: 4 };
  // 64 tokens at |w| = 640 fade by e^10 a token: two tokens a chunk, 32 chunks, five fields of four lanes each.
  expect(biWkvScratch(shape, 640, GPU_VARIANTS.biWkv).states).toBe(32 * 5 * 4);
  expect(biWkvScratch(shape, 1, GPU_VARIANTS.biWkv).states).toBe(4 * 5 * 4);
});
