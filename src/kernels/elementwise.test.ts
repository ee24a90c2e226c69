import { expect, test } from 'vitest';
import { compareWithReference } from '../engine/againstReference.ts';
import { GPU_VARIANTS } from './variants.ts';

const TOLERANCE = 1e-6; // one operation each, exp within 2 ulp

test('sums, products, gates, squares and scales that nothing takes in are computed on their own', async () => {
  const { error } = await compareWithReference((ops, input) => {
    const gate = ops.sigmoid(input('a'));
    const square = ops.squaredRelu(input('b'));
    return ops.mul(ops.add(ops.mul(gate, square), input('a')), input('scale'));
  }, { a: [2, 5, 7, 6], b: [2, 5, 7, 6] }, { scale: [6] }, GPU_VARIANTS, { a: 9 });
  expect(error).toBeLessThan(TOLERANCE);
});

test('sigmoid is 0 and 1, never NaN, far from zero', async () => {
  const { error } = await compareWithReference(
    (ops, input) => ops.sigmoid(input('a')), { a: [1, 4, 4, 4] }, {}, GPU_VARIANTS, { a: 1e4 },
  );
  expect(error).toBeLessThan(TOLERANCE);
});
