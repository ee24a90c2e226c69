import { describe, expect, it } from 'vitest';
import { FormatError, type Volume } from '../formats/volume.ts';
import { degrade } from './degrade.ts';
import { normalisationFor, normalise } from './normalise.ts';
import { phantom } from './phantom.fixture.ts';
import { createInputCache, matchPairs, pairedImages, pairMismatch, simulatedImages } from './trainingImages.ts';

const SIZE = 24;
const PERCENTILE = { rule: 'percentile', percentile: 99.8, times: 0.6 } as const;
const MRI = { modality: 'mri', rule: PERCENTILE, gain: null, strength: 4, seed: 5 } as const;
const PET = { modality: 'pet', rule: null, gain: [0.5, 1.5], strength: 12, seed: 5 } as const;

/** Phantoms of rising brightness, the second slice empty. */
function volume(changes: Partial<Volume> = {}): Volume {
  const slices = changes.slices ?? 3;
  const { data } = phantom(SIZE);
  const all = new Float32Array(slices * data.length);
  for (let index = 0; index < slices; index++) {
    if (index !== 1) all.set(data.map((value) => value * (index + 1)), index * data.length);
  }
  return {
    name: 'brain', format: 'nifti', modality: null, units: 'raw', columns: SIZE, rows: SIZE, slices, times: 1, data: all,
    spacing: { x: 1.5, y: 1.5, z: 3 }, affine: null, suv: null, origin: { format: 'plain', type: 'float32' }, notices: [],
    ...changes,
  };
}

const cache = () => createInputCache(2 ** 20);

describe('references alone', () => {
  it('give slices by the volume\'s own map, without the empty ones', () => {
    const scan = volume();
    const { images, empty, normalisation } = simulatedImages(scan, MRI, cache());
    expect(normalisation).toEqual(normalisationFor('mri', scan, PERCENTILE));
    expect(empty).toBe(1);
    expect(images.map(({ name, weight, realisations }) => ({ name, weight, realisations }))).toEqual([
      { name: 'brain, slice 1', weight: 1, realisations: 1 }, { name: 'brain, slice 3', weight: 1, realisations: 1 },
    ]);
    // The brightest pixel of all is 1.5 · 3; the percentile of voxels above 0 lies at it, and becomes 0.6.
    expect(Math.max(...images[1]!.reference)).toBeCloseTo(0.6, 5);
    expect(Math.max(...images[0]!.reference)).toBeCloseTo(0.2, 5);
  });

  it('have inputs that are degraded in native units and mapped as their reference', () => {
    const scan = volume();
    const { images, normalisation } = simulatedImages(scan, MRI, cache());
    const slice = { width: SIZE, height: SIZE, data: scan.data.subarray(2 * SIZE * SIZE) };
    const expected = normalise(degrade(slice, 'mri', { strength: 4, seed: 0 }), normalisation).image.data;
    expect(images[1]!.input(0)).toEqual(expected);
  });

  it('have other noise for each realisation, slice, volume and seed, and the same when asked again', () => {
    const input = (realisation: number, slice = 0, scan = volume(), seed = 5) =>
      simulatedImages(scan, { ...PET, seed }, cache()).images[slice]!.input(realisation);
    expect(input(0)).toEqual(input(0));
    const twice = volume();
    twice.data.copyWithin(2 * SIZE * SIZE, 0, SIZE * SIZE);
    const all = [input(0), input(1), input(3), input(0, 1, twice), input(0, 0, volume({ name: 'other' })), input(0, 0, volume(), 6)];
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) expect(a).not.toEqual(b);
    expect(simulatedImages(volume(), PET, cache()).images[0]).toMatchObject({ realisations: 4, gain: [0.5, 1.5] });
  });

  it('take several strengths in turn', () => {
    const scan = volume();
    const { images, normalisation } = simulatedImages(scan, { ...MRI, strength: [4, 2] }, cache());
    const slice = { width: SIZE, height: SIZE, data: scan.data.subarray(0, SIZE * SIZE) };
    expect(images[0]!.realisations).toBe(2);
    for (const [realisation, strength] of [4, 2, 4].entries()) {
      const expected = normalise(degrade(slice, 'mri', { strength, seed: 0 }), normalisation).image.data;
      expect(images[0]!.input(realisation)).toEqual(expected);
    }
    expect(simulatedImages(scan, { ...PET, strength: [4, 12] }, cache()).images[0]!.realisations).toBe(4);
  });

  it('are taken as [0, 1] where they are pictures', () => {
    const picture = volume({ origin: { format: 'picture', bitDepth: 8 } });
    picture.data.forEach((value, i) => (picture.data[i] = value / 5));
    const { images } = simulatedImages(picture, { ...MRI, modality: 'ct', rule: null, strength: 0.25 }, cache());
    expect(images[0]!.reference).toEqual(picture.data.slice(0, SIZE * SIZE));
    const noisy = images[0]!.input(0);
    expect(noisy.every((value) => value >= 0 && value <= 1)).toBe(true);
    const difference = noisy.reduce((sum, value, i) => sum + Math.abs(value - picture.data[i]!), 0) / noisy.length;
    expect(difference).toBeGreaterThan(1e-4);
    expect(difference).toBeLessThan(0.1);
  });
});

describe('the cache of inputs', () => {
  it('makes each once, and forgets what was used longest ago once it is full', () => {
    const small = createInputCache(3 * 40);
    const made: string[] = [];
    const get = (key: string) => small.get(key, () => {
      made.push(key);
      return new Float32Array(10);
    });
    expect(get('a')).toBe(get('a'));
    ['b', 'c', 'a', 'd', 'a', 'b'].forEach(get);
    expect(made).toEqual(['a', 'b', 'c', 'd', 'b']);
    // Larger than the whole cache: given, not kept.
    small.get('huge', () => new Float32Array(1000));
    get('d');
    expect(made.at(-1)).toBe('d');
  });
});

describe('real pairs', () => {
  const affine = [1.5, 0, 0, -10, 0, 1.5, 0, -20, 0, 0, 3, 5];

  it('take the map of the input for both, and skip slices whose reference is empty', () => {
    const [input, reference] = [volume({ name: 'low' }), volume({ name: 'high' })];
    input.data.forEach((value, i) => (input.data[i] = value * 2));
    const { images, empty } = pairedImages(input, reference, { modality: 'mri', rule: PERCENTILE, gain: null });
    expect(empty).toBe(1);
    expect(Math.max(...images[1]!.input(0))).toBeCloseTo(0.6, 5);
    expect(Math.max(...images[1]!.reference)).toBeCloseTo(0.3, 5);
    expect(images[1]!.name).toBe('high, slice 3');
    expect(images[1]!.realisations).toBe(1);
  });

  it('of other sizes or places are refused, naming both', () => {
    const task = { modality: 'mri', rule: null, gain: null } as const;
    const short = volume({ name: 'short', slices: 2 });
    expect(() => pairedImages(short, volume(), task)).toThrow(FormatError);
    expect(pairMismatch(short, volume())).toBe('short is 24 × 24 × 2 and brain 24 × 24 × 3; choose images of one size');
    const moved = affine.with(7, -16);
    expect(pairMismatch(volume({ affine: moved }), volume({ affine }))).toMatch(/lie up to 4 mm apart/);
    expect(pairMismatch(volume({ affine: affine.with(3, -9.9) }), volume({ affine }))).toBeNull();
    expect(pairMismatch(volume({ affine }), volume())).toBeNull();
  });

  it('are matched by name, what is left by size, and never by guessing', () => {
    const named = (name: string, slices: number) => volume({ name, slices });
    const [a, b, c] = [named('a', 3), named('b', 3), named('c', 4)];
    const [a2, b2, d] = [named('a', 3), named('b', 3), named('d', 4)];
    expect(matchPairs([a, b, c], [d, b2, a2])).toEqual({
      pairs: [{ input: a, reference: a2 }, { input: b, reference: b2 }, { input: c, reference: d }], mismatches: [],
    });
    const { pairs, mismatches } = matchPairs([named('x', 3), named('y', 3)], [a2, b2]);
    expect(pairs).toEqual([]);
    expect(mismatches).toEqual([
      'No pair: x has 2 references of its size; give both one name.', 'No pair: y has 2 references of its size; give both one name.',
    ]);
    expect(matchPairs([a], [named('a', 5)]).mismatches).toEqual([
      'No pair: a is 24 × 24 × 3 and a 24 × 24 × 5; choose images of one size.',
    ]);
  });
});
