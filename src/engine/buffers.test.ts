import { expect, test } from 'vitest';
import { SOFTWARE_VARIANTS } from '../kernels/variants.ts';
import { LIGHT } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { assignBuffers } from './buffers.ts';
import { lookupIn } from './engine.ts';
import type { Slot } from './lower.ts';
import { lower } from './lower.ts';
import { networkGraph } from './networkGraph.ts';

function lowered(height: number, width: number) {
  const lookup = lookupIn(toNetworkWeights(hashedStateDict(LIGHT, 0), LIGHT).tensors);
  return lower(networkGraph(LIGHT, (path) => lookup(path).shape, height, width), lookup, SOFTWARE_VARIANTS);
}

test('no two activations that live at the same time share a buffer', () => {
  const { dispatches } = lowered(64, 48);
  const { bufferOf } = assignBuffers(dispatches);
  const life = new Map<Slot, [first: number, last: number]>();
  dispatches.forEach(({ bindings }, i) => {
    for (const { buffer } of bindings) {
      if (!buffer.weight) life.set(buffer, [life.get(buffer)?.[0] ?? i, i]);
    }
  });
  const slots = [...life];
  expect(slots.length).toBeGreaterThan(100);
  for (const [a, [startA, endA]] of slots) {
    for (const [b, [startB, endB]] of slots) {
      if (a !== b && bufferOf.get(a) === bufferOf.get(b)) expect(endA < startB || endB < startA).toBe(true);
    }
  }
});

test('every activation fits the buffer that it is given', () => {
  const { dispatches } = lowered(64, 48);
  const { bufferOf, floats } = assignBuffers(dispatches);
  for (const [slot, buffer] of bufferOf) expect(floats[buffer]).toBeGreaterThanOrEqual(slot.floats);
});

test('the plan needs far less memory than all activations together', () => {
  const { dispatches } = lowered(128, 128);
  const { bufferOf, floats } = assignBuffers(dispatches);
  const total = (sizes: Iterable<number>) => [...sizes].reduce((a, b) => a + b, 0);
  const apart = total([...bufferOf.keys()].map((slot) => slot.floats));
  // 30 blocks reuse what one needs; the skip connections and the widest block are what must be held.
  expect(total(floats)).toBeLessThan(apart / 10);
});

test('skip connections are written in place: nothing is copied', () => {
  const { dispatches } = lowered(64, 64);
  expect(dispatches.filter(({ label }) => label.startsWith('copy'))).toEqual([]);
});
