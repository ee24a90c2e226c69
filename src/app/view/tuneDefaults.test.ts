import { describe, expect, it } from 'vitest';
import type { DeviceState } from '../protocol.ts';
import { smoothed } from './smoothed.ts';
import { optionsOf, problemOf, tuneDefaults } from './tuneDefaults.ts';

const gpu: DeviceState = { kind: 'webgpu', name: 'GPU', software: false, why: null };
const software: DeviceState = { ...gpu, software: true };
const wasm: DeviceState = { ...gpu, kind: 'wasm', software: true };

describe('the numbers that a run begins with', () => {
  it('are the paper’s crops on a graphics processor, and smaller ones elsewhere', () => {
    expect(tuneDefaults('model', gpu, 8)).toMatchObject({ batch: 4, crop: 128 });
    for (const device of [software, wasm, null]) {
      expect(tuneDefaults('model', device, 8)).toMatchObject({ batch: 2, crop: 64 });
    }
  });

  it('never ask for more crops than fit, and for one at least', () => {
    expect(tuneDefaults('model', gpu, 3).batch).toBe(3);
    expect(tuneDefaults('model', gpu, 0).batch).toBe(1);
  });

  it('are ones that a run accepts', () => {
    for (const start of ['model', 'light', 'tiny'] as const) {
      for (const device of [gpu, software, wasm]) expect(problemOf(tuneDefaults(start, device, null))).toBeNull();
    }
  });

  it('end at a hundredth of the learning rate', () => {
    const { rate, lastRate } = optionsOf({ ...tuneDefaults('model', gpu, null), rate: 2e-4 });
    expect(rate).toBe(2e-4);
    expect(lastRate).toBeCloseTo(2e-6, 12);
  });

  it('say what is wrong with what is typed', () => {
    const good = tuneDefaults('model', gpu, null);
    expect(problemOf({ ...good, crop: 60 })).toMatch(/^crop is 60, expected a multiple of 8/);
    expect(problemOf({ ...good, steps: 0 })).toMatch(/^steps is 0/);
    expect(problemOf({ ...good, checkpointEvery: 0.5 })).toMatch(/whole numbers from 1/);
  });
});

it('a smoothed line is the mean of what came before, as far back as the window', () => {
  expect(smoothed([4, 2, 6, 8, 1], 3)).toEqual([4, 3, 4, 16 / 3, 5]);
});
