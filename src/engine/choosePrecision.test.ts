import { describe, expect, test } from 'vitest';
import type { Config } from '../model/config.ts';
import { TINY } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { testDevice } from './againstReference.ts';
import { choosePrecision, speaksForHalf } from './choosePrecision.ts';
import { requestDevice } from './device.ts';
import { DeviceError } from './errors.ts';
import { installNodeWebGpu } from './nodeGpu.ts';

const weightsOf = (config: Config) => toNetworkWeights(hashedStateDict(config, 0), config);
const tiny = weightsOf(TINY);

describe('figures speak for float16', () => {
  test.each([
    [true, 'differ little and come sooner', 6e-4, 16, 10],
    [true, 'differ by just the limit and come just soon enough', 2e-3, 10.5, 10],
    [false, 'come hardly sooner', 6e-4, 10.4, 10],
    [false, 'come later', 6e-4, 10, 16],
    [false, 'differ too much', 2.1e-3, 16, 10],
    [false, 'are no numbers', Infinity, Infinity, Infinity],
  ])('%s, where results %s', (expected, _, difference, f32, f16) => {
    expect(speaksForHalf({ difference, milliseconds: { f32, f16 } })).toBe(expected);
  });
});

const device = await testDevice();
describe.runIf(device.features.has('shader-f16'))('choosing the precision', () => {
  test('gives figures of both precisions, and what they speak for', async () => {
    const { half, ...figures } = await choosePrecision(device, tiny);
    // float16 rounds to 5e-4 of a value: differences of float32 would be some 1e-7.
    expect(figures.difference).toBeGreaterThan(1e-6);
    expect(figures.difference).toBeLessThan(2e-3);
    expect(figures.milliseconds.f32).toBeGreaterThan(0);
    expect(figures.milliseconds.f16).toBeGreaterThan(0);
    expect(half).toBe(speaksForHalf(figures));
  });

  test('takes float32 for weights that leave float16\'s range', async () => {
    const tensors = new Map(tiny.tensors);
    const { shape, data } = tensors.get('patch_embed.weight')!;
    tensors.set('patch_embed.weight', { shape, data: data.map((value) => 1e6 * value) as typeof data });
    const { half, difference } = await choosePrecision(device, { ...tiny, tensors });
    expect({ half, difference }).toEqual({ half: false, difference: Infinity });
  });
});

describe('choosing the precision', () => {
  test('ends where it is cancelled', async () => {
    await expect(choosePrecision(device, tiny, undefined, () => true)).rejects.toThrow('cancelled');
  });

  test('says so where the device is lost', async () => {
    const { device: lost } = await requestDevice(await installNodeWebGpu());
    const choosing = choosePrecision(lost, tiny);
    lost.destroy();
    await expect(choosing).rejects.toThrow(DeviceError);
    await expect(choosing).rejects.toThrow('lost');
  });
});
