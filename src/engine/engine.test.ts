import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GPU_VARIANTS, SOFTWARE_VARIANTS, variantSets, variantsFor, type Variants } from '../kernels/variants.ts';
import type { Config } from '../model/config.ts';
import { LIGHT, TINY } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { testDevice } from './againstReference.ts';
import { compileAhead } from './compileAhead.ts';
import { createEngine } from './engine.ts';
import { HALF_LIMIT, halfDifference } from './halfDifference.ts';

const { tensors: vectors } = readSafetensors(readFileSync(new URL('../../public/conformance/networks.safetensors', import.meta.url)));

const networkWeights = (config: Config) => toNetworkWeights(hashedStateDict(config, 0), config);

/** max |got − expected| / max |expected| */
function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(got[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return error / largest;
}

/** A software driver takes a minute to compile what is tiled for GPUs, when it does so for the first time. */
const COMPILING = { timeout: 240_000 };

describe.each(variantSets(await testDevice()))('the engine with %s tiles', (_, variants) => {
  test.each([[64, 64], [48, 80]])('gives the golden result of the light network at %i×%i', COMPILING, async (height, width) => {
    const engine = createEngine(await testDevice(), networkWeights(LIGHT), { variants });
    const vector = (name: 'x' | 'y') => vectors.get(`light.${height}x${width}.${name}`)!.data as Float32Array;
    const got = await engine.restore(vector('x'), height, width);
    expect(relativeError(got, vector('y'))).toBeLessThan(2e-5);
    engine.dispose();
  });
});

const device = await testDevice();
const halves = (['f16', 'packed'] as const).filter((precision) => precision === 'packed' || device.features.has('shader-f16'));
describe.each(halves)('the engine with activations as %s', (precision) => {
  // With other tiles in browsers, which compile them faster.
  test('is within 2e-3 of the golden result', COMPILING, async () => {
    const engine = createEngine(device, networkWeights(LIGHT), { variants: { ...variantsFor(device), precision } });
    const vector = (name: 'x' | 'y') => vectors.get(`light.64x64.${name}`)!.data as Float32Array;
    const got = await engine.restore(vector('x'), 64, 64);
    const most = vector('y').reduce((error, value, i) => Math.max(error, Math.abs(got[i]! - value)), 0);
    expect(most).toBeLessThan(2e-3);
    expect(most).toBeGreaterThan(1e-5); // float32's would be 1e-6
    engine.dispose();
  });

  test('takes at most 60 % of the memory', COMPILING, async () => {
    const bytes = async (variants: Variants) => {
      const engine = createEngine(device, networkWeights(LIGHT), { variants });
      const { plan } = await engine.prepare(128, 128);
      engine.dispose();
      return plan.bytes;
    };
    expect(await bytes({ ...GPU_VARIANTS, precision }) / await bytes(GPU_VARIANTS)).toBeLessThan(0.6);
  });
});

describe('float16', () => {
  test('is checked with the weights that it is to be used for', async () => {
    const difference = await halfDifference(device, networkWeights(TINY));
    expect(difference).toBeGreaterThan(1e-6);
    expect(difference).toBeLessThan(HALF_LIMIT);
    const weights = networkWeights(TINY);
    const large = new Map(weights.tensors);
    const { shape, data } = large.get('patch_embed.weight')!;
    large.set('patch_embed.weight', { shape, data: data.map((value) => 1e6 * value) as typeof data });
    expect(await halfDifference(device, { ...weights, tensors: large })).toBe(Infinity);
  });
});

describe('the engine', () => {
  test.each([['f32', 2e-5], ...halves.map((precision) => [precision, 2e-3] as const)] as const)(
    'runs a network whose channel counts are not multiples of four, activations as %s', async (precision, tolerance) => {
    // 6, 12, 24 and 48 channels: the concatenation at level 1 starts its second part at channel 6.
    const config: Config = { dim: 6, blocks: [1, 1, 1, 1], refinement: 1, recurrence: 2 };
    const { referenceOps } = await import('../kernels/reference.ts');
    const { float64Image } = await import('../kernels/float64Image.ts');
    const { restoreRwkv } = await import('../model/restoreRwkv.ts');
    const weights = networkWeights(config);
    const image = (vectors.get('light.64x64.x')!.data as Float32Array).slice(0, 16 * 24);
    const expected = restoreRwkv(
      referenceOps, (path) => float64Image(weights.tensors.get(path)!.shape, weights.tensors.get(path)!.data),
      config, float64Image([1, 16, 24, 1], image),
    );
    const engine = createEngine(device, weights, { variants: { ...variantsFor(device), precision } });
    expect(relativeError(await engine.restore(image, 16, 24), expected.data)).toBeLessThan(tolerance);
    engine.dispose();
  });

  test('gives the same result again, and after another size', async () => {
    const engine = createEngine(await testDevice(), networkWeights(LIGHT));
    const image = vectors.get('light.64x64.x')!.data as Float32Array;
    const first = await engine.restore(image, 64, 64);
    await engine.restore(image.slice(0, 16 * 24), 16, 24);
    await engine.restore(image.slice(0, 24 * 16), 24, 16);
    expect(await engine.restore(image, 64, 64)).toEqual(first);
    engine.dispose();
  });

  test('gives each of two images in flight its own result', async () => {
    const engine = createEngine(await testDevice(), networkWeights(TINY));
    const image = (vectors.get('light.64x64.x')!.data as Float32Array);
    const other = image.map((value) => 1 - value);
    const alone = [await engine.restore(image, 64, 64), await engine.restore(other, 64, 64)];
    const first = await engine.run(image, 64, 64);
    const second = await engine.run(other, 64, 64);
    expect([await first.read(), await second.read()]).toEqual(alone);
    expect(await Promise.all([engine.restore(image, 64, 64), engine.restore(other, 64, 64)])).toEqual(alone);
    engine.dispose();
  });

  test('compiles nothing for a second size', async () => {
    const device = await testDevice();
    const engine = createEngine(device, networkWeights(LIGHT));
    await engine.prepare(16, 16);
    const create = device.createComputePipelineAsync.bind(device);
    let compiled = 0;
    device.createComputePipelineAsync = (descriptor) => { compiled++; return create(descriptor); };
    await engine.prepare(32, 24);
    device.createComputePipelineAsync = create;
    expect(compiled).toBe(0);
    engine.dispose();
  });

  test('finds every pipeline compiled that was compiled ahead of the weights', async () => {
    const device = await testDevice();
    const tiles = { ...SOFTWARE_VARIANTS, omniShift: { pixels: 2, rows: 1 } }; // not compiled by another test
    const create = device.createComputePipelineAsync.bind(device);
    let compiled = 0;
    device.createComputePipelineAsync = (descriptor) => { compiled++; return create(descriptor); };
    await compileAhead(device, tiles);
    const ahead = compiled;
    await createEngine(device, networkWeights(LIGHT), { variants: tiles }).prepare(24, 16);
    device.createComputePipelineAsync = create;
    expect(ahead).toBeGreaterThan(0);
    expect(compiled).toBe(ahead);
  });

  test('asks for padding where a side is not a multiple of eight', async () => {
    const engine = createEngine(await testDevice(), networkWeights(LIGHT));
    await expect(engine.restore(new Float32Array(20 * 16), 20, 16))
      .rejects.toThrow('engine: the image is 20×16; pad height and width to multiples of 8');
    engine.dispose();
  });

  test('computes an image in tiles where it takes more than the memory, each as if it were alone', async () => {
    const [height, width] = [128, 264];
    const image = Float32Array.from({ length: height * width }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.37 + (i / width) * 0.2));
    const engine = createEngine(await testDevice(), networkWeights(TINY));
    const { plan: { bytes }, tiles: whole } = await engine.prepare(height, width);
    expect(whole).toEqual([{ top: 0, left: 0, height, width }]);

    const small = createEngine(await testDevice(), networkWeights(TINY), { memory: 0.7 * bytes });
    const { plan, tiles } = await small.prepare(height, width);
    expect(tiles.map(({ left, width: across }) => [left, across])).toEqual([[0, 168], [96, 168]]);
    expect(plan.bytes).toBeLessThanOrEqual(0.7 * bytes);
    const { buffer, tiles: count, read } = await small.run(image, height, width);
    expect([buffer, count]).toEqual([null, 2]);
    const got = await read();
    const columns = (from: Float32Array, across: number, left: number, right: number) =>
      Array.from({ length: height }, (_, y) => [...from.subarray(y * across + left, y * across + right)]).flat();
    const first = await engine.restore(Float32Array.from(columns(image, width, 0, 168)), height, 168);
    expect(columns(got, width, 0, 96)).toEqual(columns(first, 168, 0, 96));
    const second = await engine.restore(Float32Array.from(columns(image, width, 96, 264)), height, 168);
    expect(columns(got, width, 168, 264)).toEqual(columns(second, 168, 72, 168));
    [engine, small].forEach((each) => each.dispose());
  });

  test('goes over to tiles where the device refuses the memory', async () => {
    const device = await testDevice();
    const engine = createEngine(device, networkWeights(TINY));
    const pop = device.popErrorScope.bind(device);
    device.popErrorScope = async () => {
      await pop();
      device.popErrorScope = pop;
      return { message: 'no memory left' } as GPUError;
    };
    expect((await engine.prepare(192, 192)).tiles.length).toBeGreaterThan(1);
    engine.dispose();
  });

  test('says what the smallest tile would need where even that does not fit', async () => {
    const { adapterInfo } = await testDevice();
    const limits = { maxStorageBufferBindingSize: 2 ** 20, maxBufferSize: 2 ** 20, maxComputeWorkgroupsPerDimension: 65535 };
    const device = { adapterInfo, limits, features: new Set() } as unknown as GPUDevice;
    await expect(createEngine(device, networkWeights(LIGHT)).prepare(256, 256))
      .rejects.toThrow('device: this image needs a buffer of 30 MiB, and the adapter allows 1 MiB; crop the image or use a lighter model');
  });

  test('names the weight that is missing', async () => {
    const weights = networkWeights(LIGHT);
    const tensors = new Map(weights.tensors);
    tensors.delete('latent.0.att.key.weight');
    const engine = createEngine(await testDevice(), { ...weights, tensors });
    await expect(engine.prepare(16, 16)).rejects.toThrow('latent.0.att.key.weight is missing');
  });
});
