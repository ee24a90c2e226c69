import { afterEach, describe, expect, it } from 'vitest';
import { relativeError, wholeTensor } from '../../conformance/compare.ts';
import { referenceSubject } from '../../conformance/referenceSubject.ts';
import { DeviceError } from '../../engine/errors.ts';
import { LIGHT, TINY, type Config } from '../../model/config.ts';
import { ShapeError, type Program } from '../../model/ops.ts';
import { restoreRwkv } from '../../model/restoreRwkv.ts';
import { WeightsError } from '../../weights/errors.ts';
import { hashedStateDict } from '../../weights/hashedWeights.ts';
import { toNetworkWeights, type NetworkWeights } from '../../weights/networkWeights.ts';
import { startNodeHelper } from './nodeHelpers.ts';
import { createWasmNetwork, type WasmNetwork, type WasmNetworkOptions } from './wasmNetwork.ts';

const hashed = (config: Config) => toNetworkWeights(hashedStateDict(config, 0), config);
const imageOf = (length: number) => Float32Array.from({ length }, (_, i) => 0.5 + 0.4 * Math.sin(i / 3) * Math.cos(i / 50));

const opened: WasmNetwork[] = [];
afterEach(() => opened.splice(0).forEach((network) => network.dispose()));

async function open(weights: NetworkWeights, options?: WasmNetworkOptions): Promise<WasmNetwork> {
  const network = (await createWasmNetwork(weights, options))!;
  opened.push(network);
  return network;
}

describe('the network in WebAssembly', () => {
  it('gives the same result run after run, size after size, and on any number of threads', async () => {
    const one = await open(hashed(LIGHT));
    const three = await open(hashed(LIGHT), { threads: 3, startHelper: startNodeHelper });
    expect([one.threads, three.threads]).toEqual([1, 3]);
    const first = await one.restore(imageOf(40 * 24), 40, 24);
    const second = await one.restore(imageOf(16 * 64), 16, 64);
    for (const network of [one, three]) {
      for (let run = 0; run < 5; run++) {
        expect(await network.restore(imageOf(40 * 24), 40, 24)).toEqual(first);
        expect(await network.restore(imageOf(16 * 64), 16, 64)).toEqual(second);
      }
    }
  });

  it('does with the threads that it gets', async () => {
    const network = await open(hashed(TINY), { threads: 3, startHelper: () => Promise.reject(new Error('none left')) });
    expect(network.threads).toBe(1);
    expect(await network.restore(imageOf(64), 8, 8)).toEqual(await (await open(hashed(TINY))).restore(imageOf(64), 8, 8));
  });

  it('computes an image in overlapping tiles where it would take more memory than it may', async () => {
    const whole = await open(hashed(TINY));
    const tiled = await open(hashed(TINY), { memory: 4 * 2 ** 20 });
    const [height, width] = [256, 320];
    expect([whole.tiles(height, width), tiled.tiles(height, width)]).toEqual([1, 9]);
    const image = imageOf(height * width);
    const [a, b] = [await whole.restore(image, height, width), await tiled.restore(image, height, width)];
    // The scan sees a tile at a time, so these are two results of one image; the pixels are where they were.
    const distance = (x: Float32Array, y: Float32Array) => Math.hypot(...Array.from(x.subarray(0, 60000), (v, i) => v - y[i]!));
    expect(distance(a, b)).toBeLessThan(0.1 * distance(a, image));
    // Two images at once: one's tiles between the other's.
    const [c, d] = await Promise.all([tiled.restore(image, height, width), tiled.restore(imageOf(64), 8, 8)]);
    expect(c).toEqual(b);
    expect(d).toEqual(await whole.restore(imageOf(64), 8, 8));
  });

  it('says when not even tiles fit', async () => {
    const network = await open(hashed(TINY), { memory: 2 ** 16 });
    await expect(network.restore(imageOf(256 * 256), 256, 256)).rejects.toThrow(DeviceError);
  });

  it('takes any finite decays and bonuses, and refuses others', async () => {
    const { config, tensors } = hashed(TINY);
    for (const [name, value] of [['spatial_first.1', 9000], ['spatial_decay.1', 120], ['spatial_decay.0', -2000]]) {
      tensors.set(`latent.0.att.${name}`, { shape: [32], data: new Float32Array(32).fill(Number(value)) });
    }
    const image = { shape: [1, 8, 8, 1], data: imageOf(64) };
    for (const threads of [1, 2]) {
      const network = await open({ config, tensors }, { threads, startHelper: startNodeHelper });
      const restored = { shape: image.shape, data: await network.restore(image.data, 8, 8) };
      const program: Program = (ops, input) => restoreRwkv(ops, input, config, input('image'));
      const expected = await referenceSubject.evaluate(program, new Map([['image', image]]), tensors);
      // As for a network whose decays are small: float32 on either way.
      expect(relativeError(wholeTensor('restored', restored, expected), 5e-6)).toBeLessThan(5e-6);
    }
    tensors.set('latent.0.att.spatial_decay.1', { shape: [32], data: new Float32Array(32).fill(NaN) });
    await expect(createWasmNetwork({ config, tensors })).rejects.toThrow(/spatial_decay\.1 holds NaN at 0, expected finite/);
  });

  it('refuses images that are not multiples of 8 or not the size they say, and weights that are not whole', async () => {
    const weights = hashed(TINY);
    const network = await open(weights);
    await expect(network.restore(new Float32Array(12 * 16), 12, 16)).rejects.toThrow(ShapeError);
    await expect(network.restore(new Float32Array(0), 0, 8)).rejects.toThrow(/0×8 pixels, expected multiples of 8/);
    await expect(network.restore(new Float32Array(63), 8, 8)).rejects.toThrow(/63 values/);
    weights.tensors.delete('latent.0.att.key.weight');
    await expect(createWasmNetwork(weights)).rejects.toThrow(WeightsError);
  });
});
