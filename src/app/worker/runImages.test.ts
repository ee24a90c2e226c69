import { describe, expect, it } from 'vitest';
import type { Volume } from '../../formats/volume.ts';
import { readSafetensors, writeSafetensors } from '../../weights/safetensors.ts';
import { imagesOf, rangeFor, readLesson, writeLesson } from './runImages.ts';
import type { Lesson } from './runImages.ts';

/** Rings whose brightness grows from slice to slice; columns ≠ rows. */
function volume(name: string, slices = 9, factor = 1): Volume {
  const [columns, rows] = [24, 20];
  const data = Float32Array.from({ length: columns * rows * slices }, (_, i) => {
    const [x, y, z] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))];
    return factor * (100 + 80 * Math.cos(Math.hypot(x - 12, y - 9)) + 5 * z);
  });
  return {
    name, format: 'nifti', modality: 'mri', units: 'raw', columns, rows, slices, times: 1, data,
    spacing: { x: 1.5, y: 1, z: 4 }, affine: [-1.5, 0, 0, 9, 0, 1, 0, -7, 0, 0, 4, 2, 0, 0, 0, 1], suv: null,
    origin: { format: 'plain', type: 'float32' }, notices: [],
  };
}

const rule = { rule: 'percentile', percentile: 99.8, times: 0.6 } as const;
const lesson = (...volumes: Volume[]): Lesson => ({
  modality: 'mri', degradation: { strength: 4, noise: 0.02 }, seed: 3,
  scans: volumes.map((reference) => ({ reference, input: null, range: rangeFor('mri', reference, rule) })),
});

describe('the images of a run', () => {
  it('are the same after they were on the disk: those to learn from, those held back, and their inputs', () => {
    const before = imagesOf(lesson(volume('a'), volume('b')), 3);
    const after = imagesOf(readLesson(writeLesson(lesson(volume('a'), volume('b')))), 3);
    for (const part of ['training', 'validation'] as const) {
      expect(after.data[part].map(({ name }) => name)).toEqual(before.data[part].map(({ name }) => name));
      for (const [i, image] of before.data[part].entries()) {
        expect(after.data[part][i]!.reference).toEqual(image.reference);
        expect(after.data[part][i]!.input(0)).toEqual(image.input(0));
      }
    }
    expect(before.data.validation.length).toBeGreaterThan(0);
  });

  it('hold no slice back that is learnt from', () => {
    const { training, validation } = imagesOf(lesson(volume('a'), volume('b')), 8).data;
    const learnt = new Set(training.map(({ name }) => name));
    expect(validation.filter(({ name }) => learnt.has(name))).toEqual([]);
  });

  it('take pairs as they are, in the range of the input’s own volume', () => {
    const [input, reference] = [volume('a', 9, 0.5), volume('a')];
    const range = rangeFor('mri', input, rule);
    const pairs: Lesson = { modality: 'mri', degradation: null, seed: 0, scans: [{ reference, input, range }] };
    const { data } = imagesOf(readLesson(writeLesson(pairs)), 3);
    const image = data.training[0]!;
    const [low, high] = range!;
    // Double division in another order: within one unit in the last place of float32 near 1.
    expect(Math.abs(image.input(0)[7]! - (input.data[7]! - low) / (high - low))).toBeLessThan(1e-6);
    expect(Math.abs(image.reference[7]! - Math.min(1, (reference.data[7]! - low) / (high - low)))).toBeLessThan(1e-6);
  });

  it('keep where they lie and what they are called, and pictures as pictures', () => {
    const origin = { format: 'picture', bitDepth: 8 } as const;
    const picture: Volume = { ...volume('shot'), spacing: null, affine: null, origin };
    expect(rangeFor('mri', picture, rule)).toBeNull();
    const { scans } = readLesson(writeLesson(lesson(volume('a'), picture)));
    const { name, spacing, affine, columns, rows, slices } = scans[0]!.reference;
    expect({ name, spacing, affine, columns, rows, slices }).toEqual({
      name: 'a', spacing: { x: 1.5, y: 1, z: 4 }, affine: volume('a').affine, columns: 24, rows: 20, slices: 9,
    });
    expect(scans[1]!.reference.origin.format).toBe('picture');
    expect(scans[1]!.range).toBeNull();
  });

  it('are refused in one sentence where the file is damaged', () => {
    const bytes = writeLesson(lesson(volume('a')));
    const { tensors, metadata } = readSafetensors(bytes);
    const scans = JSON.parse(metadata['scans']!) as Record<string, unknown>[];
    const changed = (change: Record<string, string>) => writeSafetensors(tensors, { ...metadata, ...change });
    const described = (change: Record<string, unknown>) =>
      changed({ scans: JSON.stringify([{ ...scans[0], ...change }]) });
    const flat = new Map([['reference.0', { shape: [5], data: new Float32Array(5) }]]);
    const bad: [string, Uint8Array][] = [
      ['cut short', bytes.subarray(0, bytes.length - 5)],
      ['another format', changed({ format: 'weights' })],
      ['another modality', changed({ modality: 'us' })],
      ['no strength of the task', changed({ strength: '3' })],
      ['noise that is no share', changed({ noise: '2' })],
      ['no seed', changed({ seed: 'many' })],
      ['no description', changed({ scans: '[]' })],
      ['more images than there are', changed({ scans: JSON.stringify([...scans, ...scans]) })],
      ['no JSON', changed({ scans: '{' })],
      ['an empty range', described({ range: [1, 1] })],
      ['half a range', described({ range: [1] })],
      ['no spacing', described({ spacing: { x: 0, y: 1, z: 1 } })],
      ['half a matrix', described({ affine: [1, 0, 0] })],
      ['no name', described({ name: 5 })],
      ['unknown units', described({ units: 'cubits' })],
      ['no voxels', writeSafetensors(new Map(), metadata)],
      ['voxels of another shape', writeSafetensors(flat, metadata)],
    ];
    for (const [what, file] of bad) expect(() => readLesson(file), what).toThrow(/^[^\n]{10,}$/);
  });
});
