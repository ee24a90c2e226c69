import { describe, expect, it } from 'vitest';
import { createSampler } from './sampler.ts';
import { TrainingError, type TrainingImage } from './training.ts';

/** Pixel (y, x) is 0.001 + (100·y + x)/10⁵: each says where it came from; the input is the reference and a half. */
function image(height: number, width: number, changes: Partial<TrainingImage> = {}): TrainingImage {
  const reference = Float32Array.from({ length: height * width }, (_, i) =>
    0.001 + (100 * Math.floor(i / width) + (i % width)) / 1e5);
  const input = (realisation: number) => reference.map((value) => value + 0.5 + realisation / 8);
  return { name: 'scan', height, width, reference, input, realisations: 1, gain: null, weight: 1, ...changes };
}

const OPTIONS = { seed: 3, batch: 4, crop: 8 };

/** Rows and columns of the image at the corners and beside the first corner of a crop. */
function origin(crop: Float32Array, size: number) {
  const at = (row: number, column: number) => {
    const code = Math.round((crop[row * size + column] - 0.001) * 1e5);
    return { y: Math.floor(code / 100), x: code % 100 };
  };
  return { first: at(0, 0), beside: at(0, 1), below: at(1, 0), last: at(size - 1, size - 1) };
}

describe('crops', () => {
  it('are the same for the same seed and step, others for another', () => {
    const images = [image(20, 31), image(25, 16)];
    const sample = createSampler(images, OPTIONS);
    const fifth = sample(5);
    sample(6);
    expect(sample(5)).toEqual(fifth);
    expect(createSampler(images, OPTIONS)(5)).toEqual(fifth);
    expect(sample(6).references).not.toEqual(fifth.references);
    expect(createSampler(images, { ...OPTIONS, seed: 4 })(5).references).not.toEqual(fifth.references);
  });

  it('show input and reference of one place, each a square of the image in one of eight orientations', () => {
    const sample = createSampler([image(20, 31)], { seed: 1, batch: 1, crop: 8 });
    const orientations = new Set<string>();
    const places = new Set<string>();
    for (let step = 0; step < 300; step++) {
      const { inputs, references } = sample(step);
      // The input is the reference plus 0.5, rounded to float32 on both ways.
      references.forEach((value, i) => expect(inputs[i] - value).toBeCloseTo(0.5, 6));
      const { first, beside, below, last } = origin(references, 8);
      orientations.add(JSON.stringify([beside.y - first.y, beside.x - first.x, below.y - first.y, below.x - first.x]));
      expect([Math.abs(last.y - first.y), Math.abs(last.x - first.x)]).toEqual([7, 7]);
      places.add(`${Math.min(first.y, last.y)} ${Math.min(first.x, last.x)}`);
    }
    expect(orientations.size).toBe(8);
    const [tops, lefts] = [0, 1].map((axis) => [...places].map((place) => Number(place.split(' ')[axis])));
    // 20 − 8 and 31 − 8 are the last positions; 300 crops meet the ends of both.
    expect([Math.min(...tops), Math.max(...tops), Math.min(...lefts), Math.max(...lefts)]).toEqual([0, 12, 0, 23]);
  });

  it('come from images by their weights, and from all realisations alike', () => {
    const flat = new Float32Array(64).fill(0.9);
    const sample = createSampler([
      image(8, 8, { weight: 0.5, realisations: 4 }),
      image(9, 9, { weight: 0 }),
      image(8, 8, { weight: 1.5, reference: flat, input: () => flat }),
    ], OPTIONS);
    const realisations = [0, 0, 0, 0];
    for (let step = 0; step < 1000; step++) {
      const { inputs, references } = sample(step);
      for (let i = 0; i < 4; i++) {
        const difference = inputs[64 * i] - references[64 * i];
        if (difference !== 0) realisations[Math.round((difference - 0.5) * 8)]++;
      }
    }
    // A quarter of 4000 crops is 1000, of deviation √(4000 · ¼ · ¾) = 27; each realisation 250 of these, with 15.
    expect(Math.abs(realisations.reduce((sum, count) => sum + count) - 1000)).toBeLessThan(4 * 27);
    for (const count of realisations) expect(Math.abs(count - 250)).toBeLessThan(4 * 15);
  });

  it('avoid the background where there is something else', () => {
    const size = 64;
    const reference = new Float32Array(size * size);
    // An object on a quarter of the width, which crops at 16 of 57 positions across touch.
    for (let y = 0; y < size; y++) for (let x = 0; x < 16; x++) reference[y * size + x] = 0.1 + x / 100;
    const sample = createSampler([{ ...image(size, size), reference, input: () => reference }], { ...OPTIONS, batch: 1 });
    let empty = 0;
    for (let step = 0; step < 400; step++) if (sample(step).references.every((value) => value === 0)) empty++;
    // One try would be empty with p = 41/57; five tries in a row with p⁵ = 0.19, 77 of 400 with a deviation of 8.
    expect(Math.abs(empty - 77)).toBeLessThan(4 * 8);
  });

  it('of an image that is smaller go on with its last row and column', () => {
    const { references } = createSampler([image(5, 30)], { seed: 0, batch: 1, crop: 16 })(0);
    const rows = new Set(Array.from(references, (value) => Math.floor(Math.round((value - 0.001) * 1e5) / 100)));
    expect(rows).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(references.filter((value) => Math.floor(Math.round((value - 0.001) * 1e5) / 100) === 4)).toHaveLength(12 * 16);
  });

  it('are multiplied by one gain in their range, input and reference alike, and clamped to [0, 1]', () => {
    const flat = (value: number) => new Float32Array(64).fill(value);
    const sample = createSampler([image(8, 8, { reference: flat(0.5), input: () => flat(0.8), gain: [0.5, 1.5] })], OPTIONS);
    const gains: number[] = [];
    for (let step = 0; step < 50; step++) {
      const { inputs, references } = sample(step);
      for (let i = 0; i < 4; i++) {
        const gain = references[64 * i] / 0.5;
        gains.push(gain);
        expect(inputs[64 * i]).toBeCloseTo(Math.min(1, gain * 0.8), 6);
      }
    }
    expect(Math.min(...gains)).toBeGreaterThanOrEqual(0.5);
    expect(Math.min(...gains)).toBeLessThan(0.6);
    expect(Math.max(...gains)).toBeGreaterThan(1.4);
    expect(Math.max(...gains)).toBeLessThanOrEqual(1.5);
  });

  it('cannot be drawn without images, from negative weights, or from images of another size than they say', () => {
    expect(() => createSampler([], OPTIONS)).toThrow(TrainingError);
    expect(() => createSampler([image(8, 8, { weight: -1 })], OPTIONS)).toThrow(/scan has a weight of -1/);
    expect(() => createSampler([image(8, 8, { height: 9 })], OPTIONS)(0)).toThrow(/64 values for 9 × 8 pixels/);
  });
});
