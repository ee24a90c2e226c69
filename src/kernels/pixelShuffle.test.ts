import { expect, test } from 'vitest';
import { compareWithReference } from '../engine/againstReference.ts';
import { GPU_VARIANTS } from './variants.ts';

test.each([4, 12, 20])('pixel-shuffle of %i channels moves values and changes none', async (channels) => {
  const { error, shape } = await compareWithReference(
    (ops, input) => ops.pixelShuffle(input('x')), { x: [2, 3, 5, channels] }, {}, GPU_VARIANTS,
  );
  expect(shape).toEqual([2, 6, 10, channels / 4]);
  expect(error).toBe(0);
});

test.each([1, 3, 8])('pixel-unshuffle of %i channels moves values and changes none', async (channels) => {
  const { error } = await compareWithReference(
    (ops, input) => ops.pixelUnshuffle(input('x')), { x: [2, 6, 4, channels] }, {}, GPU_VARIANTS,
  );
  expect(error).toBe(0);
});

test('a concatenation is copied where its parts cannot be written in place', async () => {
  const { error } = await compareWithReference(
    (ops, input) => ops.linear(ops.concat(input('a'), ops.concat(input('b'), input('a'))), input('W')),
    { a: [1, 4, 6, 5], b: [1, 4, 6, 3] }, { W: [13, 4] }, GPU_VARIANTS,
  );
  expect(error).toBeLessThan(1e-6);
});
