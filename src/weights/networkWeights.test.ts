import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FULL, LIGHT, parameters, type Config } from '../model/config.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import type { Ops } from '../model/ops.ts';
import { hashedParameter, hashedStateDict } from './hashedWeights.ts';
import { inferConfig } from './inferConfig.ts';
import { mergeOmniShift } from './mergeOmniShift.ts';
import { countParameters, toNetworkWeights } from './networkWeights.ts';
import { readSafetensors } from './safetensors.ts';
import type { StateDict, StoredTensor } from './tensor.ts';

/** Golden vectors of single blocks: float64 results stored as float32. */
let golden: Map<string, StoredTensor>;
beforeAll(() => {
  golden = readSafetensors(readFileSync(join(import.meta.dirname, 'fixtures', 'golden-modules.safetensors'))).tensors;
});
const goldenData = (name: string) => golden.get(name)?.data ?? expect.fail(`${name} is not among the golden vectors`);

const ODD: Config = { dim: 6, blocks: [2, 1, 3, 1], refinement: 2, recurrence: 3 };
const shapesOf = (config: Config) => new Map(parameters(config).map(({ name, shape }) => [name, shape]));

describe('hashed weights', () => {
  it.each(['m12', 'm16'])('are those of the golden block %s', (block) => {
    const prefix = `${block}.param.`;
    const names = [...golden.keys()].filter((name) => name.startsWith(prefix));
    expect(names).toHaveLength(23);
    for (const name of names) {
      const { shape, data } = golden.get(name) as StoredTensor;
      const values = hashedParameter(name.slice(prefix.length), shape, 0);
      // Golden vectors are float64 values rounded to float32; ours, computed in float64, round to the same.
      expect(Float32Array.from(values), name).toEqual(data);
    }
  });

  it('follow the printed recipe with another seed, evaluated in integers of any length', () => {
    const mask = 0xffffffffn;
    const expected = (name: string, i: bigint, seed: bigint) => {
      let h = 2166136261n;
      for (const byte of new TextEncoder().encode(name)) h = ((h ^ BigInt(byte)) * 16777619n) & mask;
      h = (h + seed * 0x85ebca6bn + i * 0x9e3779b9n) & mask;
      h ^= h >> 16n;
      h = (h * 0x7feb352dn) & mask;
      h ^= h >> 15n;
      h = (h * 0x846ca68bn) & mask;
      h ^= h >> 16n;
      return Number(h) / 2 ** 31 - 1;
    };
    for (const seed of [0, 7, 123456789]) {
      const values = hashedParameter('latent.4.gamma2', [1000], seed);
      // One rounding apart at most: 1 + 0.1 r in whatever order.
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(1 + 0.1 * expected('latent.4.gamma2', BigInt(i), BigInt(seed)), 14);
      });
    }
  });

  it('cover every parameter of a network in its shape', () => {
    const stateDict = hashedStateDict(ODD, 0);
    expect([...stateDict].map(([name, { shape }]) => ({ name, shape }))).toEqual(parameters(ODD));
    const spread = stateDict.get('output.weight')?.data ?? new Float64Array();
    expect(Math.max(...spread)).toBeLessThan(1 / Math.sqrt(12 * 9));
  });
});

describe('merging Omni-Shift', () => {
  it.each([['m12', 12], ['m16', 16]])('gives the golden kernel of %s', (block, channels) => {
    const branch = (name: string) => {
      const { shape } = golden.get(`${block}.param.att.omni_shift.${name}`) as StoredTensor;
      return hashedParameter(`att.omni_shift.${name}`, shape, 0);
    };
    const merged = mergeOmniShift({
      alpha: branch('alpha'),
      conv1x1: branch('conv1x1.weight'),
      conv3x3: branch('conv3x3.weight'),
      conv5x5: branch('conv5x5.weight'),
    });
    const expected = goldenData(`${block}.omni_merged`); // (C, 1, 5, 5)
    expect(merged).toHaveLength(expected.length);
    expected.forEach((value, i) => {
      const c = Math.floor(i / 25);
      // Rounded once from float64 to float32: half a unit in the last place, 2⁻²⁴, and a little for float64's own.
      expect(Math.abs(merged[(i % 25) * channels + c] - value)).toBeLessThanOrEqual(2 ** -23.99 * Math.abs(value));
    });
  });

  it('leaves a pixel as it is when only the identity has weight', () => {
    const merged = mergeOmniShift({
      alpha: Float32Array.of(1, 0, 0, 0),
      conv1x1: new Float32Array(3).fill(9),
      conv3x3: new Float32Array(27).fill(9),
      conv5x5: new Float32Array(75).fill(9),
    });
    expect([...merged].map((value, i) => (value === 0 ? -1 : i)).filter((i) => i >= 0)).toEqual([36, 37, 38]);
    expect(merged[36]).toBe(1);
  });

  it('refuses branches of different widths', () => {
    const branches = {
      alpha: new Float64Array(4),
      conv1x1: new Float64Array(2),
      conv3x3: new Float64Array(27),
      conv5x5: new Float64Array(50),
    };
    expect(() => mergeOmniShift(branches)).toThrow(/kernels of 2, 27 and 50 values/);
  });
});

describe('inferConfig', () => {
  it.each([['FULL', FULL], ['LIGHT', LIGHT], ['an odd one', ODD]])('finds %s from its shapes', (_, config) => {
    expect(inferConfig(shapesOf(config))).toEqual(config);
  });

  it.each<[string, (shapes: Map<string, readonly number[]>) => void, RegExp]>([
    ['no tensor of it', (s) => s.clear(), /patch_embed\.weight is missing among 0/],
    ['three input channels', (s) => s.set('patch_embed.weight', [12, 3, 3, 3]), /\[12, 3, 3, 3\], expected \[C, 1/],
    ['an odd width', (s) => s.set('patch_embed.weight', [7, 1, 3, 3]), /gives 7 channels/],
    ['no width', (s) => s.set('patch_embed.weight', [0, 1, 3, 3]), /gives 0 channels/],
    ['a width of a million', (s) => s.set('patch_embed.weight', [2 ** 20, 1, 3, 3]), /from 2 to 1024/],
    ['an index near a billion', (s) => s.set('latent.999999999.gamma1', [1]), /latent has 1000000000 blocks/],
    ['an index of 400 digits', (s) => s.set(`latent.${'9'.repeat(400)}.gamma1`, [1]), /latent has Infinity blocks/],
    ['a deeper decoder', (s) => s.set('decoder_level2.1.gamma1', [12]), /decoder_level2 has 2 blocks, expected 1 /],
    ['no recurrence', (s) => s.set('encoder_level1.0.att.spatial_decay', [6]), /expected \[recurrence, C\]/],
    ['endless recurrence', (s) => s.set('encoder_level1.0.att.spatial_decay', [1e6, 6]), /recurrence of 1 to 16/],
    ['no refinement', (s) => [...s.keys()].filter((k) => /^refi/.test(k)).forEach((k) => s.delete(k)), /ment has 0/],
  ])('refuses shapes with %s', (_, change, expected) => {
    const shapes = shapesOf(ODD);
    change(shapes);
    expect(() => inferConfig(shapes)).toThrow(expected);
  });
});

describe('network weights', () => {
  const stateDict = hashedStateDict(ODD, 3);
  const { tensors } = toNetworkWeights(stateDict, ODD);
  const source = (name: string) => (stateDict.get(name) as StoredTensor).data;
  const target = (name: string) => tensors.get(name) ?? expect.fail(`${name} is missing`);

  it('have a tensor for every path that the network looks up, and no other', () => {
    const asked = new Set<string>();
    const nothing = () => null;
    const ops: Ops<null> = {
      conv: nothing, linear: nothing, layerNorm: nothing, omniShift: nothing, biWkv: nothing, add: nothing,
      mul: nothing, sigmoid: nothing, squaredRelu: nothing, concat: nothing, pixelShuffle: nothing, pixelUnshuffle: nothing,
    };
    restoreRwkv(ops, (path) => (asked.add(path), null), ODD, null);
    expect([...tensors.keys()].sort()).toEqual([...asked].sort());
  });

  it('have convolutions as [k, k, I, O]', () => {
    for (const name of ['down2_3.body.0.weight', 'reduce_chan_level2.weight', 'output.weight', 'patch_embed.weight']) {
      const [outputs, inputs, k] = (stateDict.get(name) as StoredTensor).shape;
      const { shape, data } = target(name);
      expect(shape).toEqual([k, k, inputs, outputs]);
      for (let o = 0; o < outputs; o++) {
        for (let i = 0; i < inputs; i++) {
          for (let y = 0; y < k; y++) {
            for (let x = 0; x < k; x++) {
              if (data[((y * k + x) * inputs + i) * outputs + o] !== source(name)[((o * inputs + i) * k + y) * k + x]) {
                expect.fail(`${name} differs at output ${o}, input ${i}, row ${y}, column ${x}`);
              }
            }
          }
        }
      }
    }
  });

  it('have linears as [in, out]', () => {
    const { shape, data } = target('latent.0.ffn.key.weight'); // (192, 48)
    expect(shape).toEqual([48, 192]);
    expect(data[5 * 192 + 100]).toBe(source('latent.0.ffn.key.weight')[100 * 48 + 5]);
  });

  it('have one decay and one bonus a pass', () => {
    const { shape, data } = target('latent.0.att.spatial_decay.2');
    expect(shape).toEqual([48]);
    expect(data).toEqual(source('latent.0.att.spatial_decay').slice(96, 144));
    expect(target('latent.0.att.spatial_first.0').data).toEqual(source('latent.0.att.spatial_first').slice(0, 48));
  });

  it('keep float64 as float64 and float32 as float32', () => {
    expect([...tensors.values()].every(({ data }) => data instanceof Float64Array)).toBe(true);
    const single: StateDict = new Map(
      [...stateDict].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
    );
    const weights = toNetworkWeights(single, ODD);
    expect([...weights.tensors.values()].every(({ data }) => data instanceof Float32Array)).toBe(true);
  });

  it('name a parameter that is missing', () => {
    const incomplete: StateDict = new Map(stateDict);
    incomplete.delete('refinement.1.ffn.value.weight');
    expect(() => toNetworkWeights(incomplete, ODD)).toThrow(/^weights: refinement\.1\.ffn\.value\.weight is missing/);
  });

  it('number what the paper prints: 27,846,625 for the full network, 1.163 M for the light one', () => {
    expect(countParameters(FULL)).toBe(27_846_625);
    expect(Math.round(countParameters(LIGHT) / 1000)).toBe(1163);
    const sizes = [...tensors.values()].map(({ data }) => data.length);
    expect(countParameters(ODD)).toBe(sizes.reduce((sum, n) => sum + n, 0));
  });
});
