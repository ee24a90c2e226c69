import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError, wholeTensor } from '../conformance/compare.ts';
import { referenceSubject } from '../conformance/referenceSubject.ts';
import { requestDevice } from '../engine/device.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { LIGHT, TINY, type Config } from '../model/config.ts';
import { ShapeError, type Program } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { WeightsError } from '../weights/errors.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { createTfjsNetwork } from './tfjsNetwork.ts';
import { tfjsOps } from './tfjsOps.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';

const url = new URL('../../public/conformance/networks.safetensors', import.meta.url);
const { tensors: vectors } = readSafetensors(new Uint8Array(readFileSync(url)));
const hashed = (config: Config) => toNetworkWeights(hashedStateDict(config, 0), config);

let gpu: Awaited<ReturnType<typeof requestDevice>> | null = null;

async function startBackend(name: 'wasm' | 'webgpu'): Promise<void> {
  if (name === 'wasm') return useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() });
  gpu ??= await requestDevice(await installNodeWebGpu());
  return useTfjsBackend('webgpu', { device: gpu.device, adapterInfo: gpu.adapter.info });
}

afterAll(() => gpu?.device.destroy());

describe.each(['wasm', 'webgpu'] as const)('the network through tfjs on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  // PyTorch's float32 differs by up to 8.5e-7; another order of summation may cost a few times that.
  it.each(['light.64x64', 'light.48x80'])('restores %s as float64 does, and keeps no tensor', async (name) => {
    const before = tf.memory().numTensors;
    const network = createTfjsNetwork(hashed(LIGHT));
    const weights = tf.memory().numTensors;
    const [x, y] = [vectors.get(`${name}.x`)!, vectors.get(`${name}.y`)!];
    const restored = await network.restore(Float32Array.from(x.data), x.shape[0], x.shape[1]);
    expect(tf.memory().numTensors).toBe(weights);
    const largest = Math.max(...y.data.map(Math.abs));
    const difference = restored.reduce((max, value, i) => Math.max(max, Math.abs(value - y.data[i])), 0);
    expect(restored).toHaveLength(y.data.length);
    expect(difference / largest).toBeLessThan(5e-6);
    network.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('gives the same result run after run, with memory as before', async () => {
    const network = createTfjsNetwork(hashed(TINY));
    const image = Float32Array.from({ length: 16 * 24 }, (_, i) => (i % 7) / 7);
    const first = await network.restore(image, 16, 24);
    const memory = tf.memory();
    for (let run = 0; run < 3; run++) expect(await network.restore(image, 16, 24)).toEqual(first);
    expect(tf.memory().numTensors).toBe(memory.numTensors);
    expect(tf.memory().numBytes).toBe(memory.numBytes);
    network.dispose();
  });
});

describe('a network that cannot run', () => {
  beforeAll(() => startBackend('wasm'));

  it('refuses images that are not multiples of 8 or not the size they say', async () => {
    const network = createTfjsNetwork(hashed(TINY));
    await expect(network.restore(new Float32Array(12 * 16), 12, 16)).rejects.toThrow(ShapeError);
    await expect(network.restore(new Float32Array(0), 0, 8)).rejects.toThrow(/0×8 pixels, expected multiples of 8/);
    await expect(network.restore(new Float32Array(63), 8, 8)).rejects.toThrow(/63 values/);
    network.dispose();
  });

  it('refuses a parameter that is missing, by name, and keeps no tensor', () => {
    const { config, tensors } = hashed(TINY);
    tensors.delete('latent.0.att.key.weight');
    const before = tf.memory().numTensors;
    expect(() => createTfjsNetwork({ config, tensors })).toThrow(/latent\.0\.att\.key\.weight is missing/);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses decays that float32 prefix sums cannot hold, and bonuses too large for a small image', async () => {
    const { config, tensors } = hashed(TINY);
    const path = 'latent.0.att.spatial_first.1';
    tensors.set(path, { shape: [32], data: new Float32Array(32).fill(90) });
    const network = createTfjsNetwork({ config, tensors }, tfjsOps);
    await expect(network.restore(new Float32Array(64), 8, 8)).rejects.toThrow(/8×8 pixels, expected at least/);
    expect((await network.restore(new Float32Array(1024).fill(0.5), 32, 32)).every(Number.isFinite)).toBe(true);
    network.dispose();
    tensors.set('latent.0.att.spatial_decay.1', { shape: [32], data: new Float32Array(32).fill(120) });
    expect(() => createTfjsNetwork({ config, tensors }, tfjsOps)).toThrow(WeightsError);
  });

  it('is none on wasm for any decays and bonuses but those that are not numbers', async () => {
    const { config, tensors } = hashed(TINY);
    const image = { shape: [1, 8, 8, 1], data: Float32Array.from({ length: 64 }, (_, i) => (i % 7) / 7) };
    for (const [name, value] of [['spatial_first.1', 9000], ['spatial_decay.1', 120], ['spatial_decay.0', -2000]]) {
      tensors.set(`latent.0.att.${name}`, { shape: [32], data: new Float32Array(32).fill(Number(value)) });
    }
    const network = createTfjsNetwork({ config, tensors });
    const restored = { shape: image.shape, data: await network.restore(image.data, 8, 8) };
    network.dispose();
    const program: Program = (ops, input) => restoreRwkv(ops, input, config, input('image'));
    const expected = await referenceSubject.evaluate(program, new Map([['image', image]]), tensors);
    expect(relativeError(wholeTensor('restored', restored, expected), 5e-6)).toBeLessThan(5e-6);
    tensors.set('latent.0.att.spatial_decay.1', { shape: [32], data: new Float32Array(32).fill(NaN) });
    expect(() => createTfjsNetwork({ config, tensors })).toThrow(/spatial_decay\.1 holds NaN at 0, expected finite/);
  });
});
