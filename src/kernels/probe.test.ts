import { expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { hashedUniform } from '../weights/seededHash.ts';
import { probeMultiplyAdd as reference } from './probe.reference.ts';
import { probeCopy, probeFlops, probeMultiplyAdd } from './probe.ts';

const values = (count: number) => Float32Array.from({ length: 4 * count }, (_, i) => hashedUniform(3, i));

test.for([1, 63, 1000])('copying moves all of %i vec4s', async (count) => {
  const from = values(count);
  const results = await runDispatches(await testDevice(), { from, to: 4 * count }, [probeCopy({ from: 'from', to: 'to', count })], ['to']);
  expect(results.get('to')).toEqual(from);
});

test.for([0, 1, 3, 40])('%i rounds of multiply-adds are all computed', async (rounds) => {
  const count = 70;
  const from = values(count);
  const dispatch = probeMultiplyAdd({ from: 'from', to: 'to', count }, rounds);
  const to = (await runDispatches(await testDevice(), { from, to: 4 * count }, [dispatch], ['to'])).get('to')!;
  for (const [i, value] of to.entries()) {
    const expected = reference(from[i]!, rounds);
    expect(Math.abs(value - expected)).toBeLessThan(1e-6 * (1 + Math.abs(expected)));
  }
  expect(probeFlops(count, rounds)).toBe(count * rounds * 64);
});
