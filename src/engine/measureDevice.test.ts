import { expect, test } from 'vitest';
import { requestDevice } from './device.ts';
import { ON_DEVICE } from './deviceReport.ts';
import { measureDevice, type Contender } from './measureDevice.ts';
import { installNodeWebGpu } from './nodeGpu.ts';

const SMALL = { variant: 'light', size: 8 } as const;
/** Takes no time and counts its images. */
const idle = (name: string, peer = false): Contender & { images: number } => ({
  name, peer, single: true, images: 0,
  async run(images) {
    this.images += images;
  },
});
const slow = (name: string, peer: boolean): Contender =>
  ({ name, peer, single: true, run: () => new Promise((resolve) => setTimeout(resolve, 600)) });
const options = { budget: 60_000, kernels: false, readBack: false };

test('contenders have two warm-ups and ten rounds each, and are let go', async () => {
  const contenders = [idle('a'), idle('b', true)];
  let disposed = 0;
  for (const contender of contenders) contender.dispose = () => disposed++;
  const done: number[] = [];
  const { adapter, cases, leftOut } = await measureDevice(null, {
    ...options, cases: [SMALL], contenders: async () => contenders, progress: (part) => done.push(part),
  });
  expect(adapter).toBeNull();
  expect(leftOut).toEqual([]);
  expect(cases[0]!.timings.map(({ name, peer, rounds }) => ({ name, peer, rounds }))).toEqual([
    { name: 'a', peer: false, rounds: 10 }, { name: 'b', peer: true, rounds: 10 },
  ]);
  expect(contenders.map(({ images }) => images)).toEqual([12, 12]);
  expect(disposed).toBe(2);
  expect(done).toEqual([...done].sort((a, b) => a - b));
});

test('a case of ours that is too slow for the budget is left out, a slow peer alone', async () => {
  // 0.6 s and more an image, four of which would be 2.4: more than 2.
  const tight = { ...options, budget: 2000, cases: [SMALL] };
  const ours = await measureDevice(null, { ...tight, contenders: async () => [slow('ours', false), idle('b', true)] });
  expect(ours.cases).toEqual([]);
  const why: unknown = expect.stringMatching(/^an image takes about \d\.\d s, and 4 of them more than/);
  expect(ours.leftOut).toEqual([{ ...SMALL, why }]);
  const theirs = await measureDevice(null, { ...tight, contenders: async () => [idle('ours'), slow('theirs', true)] });
  expect(theirs.cases[0]!.timings.map(({ name }) => name)).toEqual(['ours']);
  expect(theirs.leftOut[0]!.why).toMatch(/^theirs, where an image takes/);
});

test('what comes after a Cancel is left out, what came before it stays', async () => {
  let cancelled = false;
  const { cases, leftOut } = await measureDevice(null, {
    ...options, cases: [SMALL, { variant: 'light', size: 16 }], contenders: async () => [idle('a')],
    ends: ({ cases }) => (cancelled = cases.length > 0), cancelled: () => cancelled,
  });
  expect(cases.map(({ size }) => size)).toEqual([8]);
  expect(leftOut).toEqual([{ variant: 'light', size: 16, why: 'cancelled' }]);
});

test('a device is timed whole, kernel by kernel, and held against its floor', async () => {
  const found = await requestDevice(await installNodeWebGpu());
  const { adapter, cases } = await measureDevice(found, { ...options, budget: 300_000, cases: [SMALL], kernels: true, readBack: true });
  found.device.destroy();
  expect(adapter!.name).toBe(found.description.name);
  const [{ plan, timings, flops }] = cases as [(typeof cases)[number]];
  expect(timings.map(({ name }) => name)).toEqual([ON_DEVICE, 'engine, with read-back']);
  for (const { min, median } of timings) expect(0 < min && min <= median).toBe(true);
  expect(plan!.cold).toBe(true);
  // The floor is what takes longer, computing at one measured rate or moving at the other.
  const { bytesPerSecond, flopsPerSecond } = adapter!.rates;
  const least = 1000 * Math.max(flops / flopsPerSecond, plan!.floor.bytes / bytesPerSecond);
  expect(plan!.floor.milliseconds).toBeCloseTo(least, 9);
  if (adapter!.features.includes('timestamp-query')) {
    expect(plan!.kernels!.reduce((sum, { dispatches }) => sum + dispatches, 0)).toBe(plan!.dispatches);
  } else {
    expect(plan!.kernels).toBeNull();
  }
});

test('a device that is lost ends the measuring with a sentence', async () => {
  const found = await requestDevice(await installNodeWebGpu());
  const { cases, leftOut } = await measureDevice(found, {
    ...options, cases: [SMALL, { variant: 'light', size: 16 }], progress: () => found.device.destroy(),
  });
  expect(cases).toEqual([]);
  const why: unknown = expect.stringMatching(/^device: the GPU was lost while it was measured/);
  expect(leftOut).toEqual([{ ...SMALL, why }, { variant: 'light', size: 16, why }]);
});
