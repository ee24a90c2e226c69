import { describe, expect, it } from 'vitest';
import { FULL, LIGHT } from '../model/config.ts';
import { testDevice } from './againstReference.ts';
import { floorOf, measureRates } from './floor.ts';

describe('the floor', () => {
  // Counted by hand from the paper's configurations: channels × tokens × blocks of each level, 18 times 4 bytes.
  it.each([['light', LIGHT, 3.65, 48], ['full', FULL, 27.18, 1200]] as const)(
    'of %s at 512² moves and computes what was counted', (_, config, gigabytes, gigaflops) => {
      const { bytes, flops } = floorOf(config, 512, 512, { bytesPerSecond: 1, flopsPerSecond: 1 });
      expect(Math.abs(bytes / 1e9 / gigabytes - 1)).toBeLessThan(0.005);
      expect(Math.abs(flops / 1e9 / gigaflops - 1)).toBeLessThan(0.05);
    });

  it('moves half of that where activations are stored as float16', () => {
    const rates = { bytesPerSecond: 1, flopsPerSecond: 1 };
    const [single, half] = [false, true].map((half) => floorOf(LIGHT, 512, 512, rates, half));
    expect([half!.bytes, half!.flops]).toEqual([single!.bytes / 2, single!.flops]);
  });

  it('is what takes longer, computing or moving', () => {
    const at = (bytesPerSecond: number, flopsPerSecond: number) =>
      floorOf(LIGHT, 64, 64, { bytesPerSecond, flopsPerSecond });
    const { bytes, flops } = at(1, 1);
    expect(at(bytes, 1e30).milliseconds).toBeCloseTo(1000, 6);
    expect(at(1e30, flops / 2).milliseconds).toBeCloseTo(2000, 6);
  });

  it('is measured on the device as finite rates', async () => {
    const { bytesPerSecond, flopsPerSecond } = await measureRates(await testDevice());
    // Any device that runs at all: between a hundredth of a laptop's processor and a thousand datacentre GPUs.
    for (const rate of [bytesPerSecond, flopsPerSecond]) {
      expect(rate).toBeGreaterThan(1e7);
      expect(rate).toBeLessThan(1e17);
    }
  });
});
