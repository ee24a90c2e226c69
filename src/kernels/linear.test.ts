import { describe, expect, test } from 'vitest';
import { compareWithReference, testDevice } from '../engine/againstReference.ts';
import { wholeView } from './kernel.ts';
import { linear } from './linear.ts';
import { SOFTWARE_VARIANTS, variantSets } from './variants.ts';

// A sum of I ≤ 100 float32 products is off by less than 100 · 6e-8 of its largest term.
const TOLERANCE = 6e-6;

describe.each(variantSets(await testDevice()))('linear, %s tiles', (_, variants) => {
  test.each([[1, 1, 4, 4], [7, 9, 12, 36], [5, 33, 48, 20], [3, 3, 100, 100]])(
    'is x·W for %i×%i pixels, %i→%i channels', async (height, width, inputs, outputs) => {
      const { error } = await compareWithReference(
        (ops, input) => ops.linear(input('x'), input('W')),
        { x: [2, height, width, inputs] }, { W: [inputs, outputs] }, variants,
      );
      expect(error).toBeLessThan(TOLERANCE);
    },
  );

  test('leaves channel counts that are not multiples of four intact', async () => {
    const { error, shape } = await compareWithReference(
      (ops, input) => ops.linear(ops.linear(input('x'), input('W')), input('V')),
      { x: [1, 5, 6, 5] }, { W: [5, 7], V: [7, 3] }, variants,
    );
    expect(shape).toEqual([1, 5, 6, 3]);
    expect(error).toBeLessThan(TOLERANCE);
  });

  test('is the 1×1 convolution with bias', async () => {
    const { error } = await compareWithReference(
      (ops, input) => ops.conv(input('x'), input('W'), input('b')),
      { x: [1, 9, 5, 8] }, { W: [1, 1, 8, 12], b: [12] }, variants,
    );
    expect(error).toBeLessThan(TOLERANCE);
  });

  test('takes in scale, gate, squared relu and residual of its neighbours', async () => {
    const { error } = await compareWithReference((ops, input) => {
      const hidden = ops.linear(input('x'), input('K'));
      const value = ops.linear(ops.squaredRelu(hidden), input('V'));
      const gated = ops.mul(ops.sigmoid(ops.linear(input('x'), input('R'))), value);
      return ops.add(input('x'), ops.mul(gated, input('gamma')));
    }, { x: [1, 7, 9, 12] }, { K: [12, 48], V: [48, 12], R: [12, 12], gamma: [12] }, variants);
    expect(error).toBeLessThan(TOLERANCE);
  });
});

test('linear refuses a residual of another size', () => {
  const view = (height: number) => wholeView('buffer', [1, height, 8, 4]);
  const call = () => linear(
    { x: view(8), y: view(8), residual: view(9), weight: 'buffer' }, SOFTWARE_VARIANTS.linear,
  );
  expect(call).toThrow('linear: 72 pixels meet 64 pixels of x; they must be the same');
});
