import { expect, test } from 'vitest';
import { benchTraining } from './benchTraining.ts';
import { UsageError } from './errors.ts';

test.each([
  [{ crop: '60' }, '--crop is "60"; it can be a multiple of 8 up to 1024'],
  [{ crop: '0' }, '--crop is "0"'],
  [{ batch: '1.5' }, '--batch is "1.5"; it can be a whole number from 1 to 64'],
  [{ batch: 'many' }, '--batch is "many"'],
  [{ device: 'wasm' }, '--device can be gpu or software'],
  [{ device: 'cpu' }, '--device can be gpu or software'],
])('bench --training refuses %o', async (options, sentence) => {
  const refused = benchTraining(options);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(sentence);
});
