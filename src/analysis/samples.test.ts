import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readImages } from '../formats/readImages.ts';
import { sourceOf } from '../formats/volume.ts';
import type { Modality, Volume } from '../formats/volume.ts';
import { parseModelCard } from '../image/modelCard.ts';
import { normalisationFor } from '../image/normalise.ts';
import { sliceOf } from '../image/slice.ts';
import { evaluate, evaluationRange } from './metrics.ts';
import { summarise } from './summary.ts';

interface Scores {
  psnr: number;
  ssim: number;
  rmse: number;
}

/** Written by a PyTorch and numpy program: see "method" in the file. */
interface Expected {
  id: string;
  modality: Modality;
  input: string;
  reference: string;
  shape: [number, number, number];
  offset: number;
  scale: number;
  range: { min: number; max: number };
  mean: { input: Scores; restored: Scores };
  slices: { input: Scores; restored: Scores }[];
  probes: { slice: number; row: number; column: number; input: number; restored: number }[];
}

const read = (path: string) => readFileSync(new URL(path, import.meta.url));
const json = (path: string): unknown => JSON.parse(read(path).toString('utf8'));
const { samples } = json('./fixtures/samples-expected.json') as { samples: Expected[] };
const index = json('../../public/samples/index.json') as Record<string, string>[];
const card = parseModelCard(json('../../public/weights/light-all-in-one.json'));

function open(name: string): Promise<Volume> {
  return readImages([sourceOf({ name, bytes: new Uint8Array(read(`../../public/samples/${name}`)) })]);
}

describe.each(samples)('sample $id', async (sample) => {
  const input = await open(sample.input);
  const reference = await open(sample.reference);
  const normalisation = normalisationFor(sample.modality, input, card.normalisation[sample.modality] ?? null);

  it('is listed with its files, source, licence and attribution', () => {
    const entry = index.find(({ id }) => id === sample.id)!;
    expect(entry).toMatchObject({ modality: sample.modality, input: sample.input, reference: sample.reference });
    for (const field of ['title', 'degradation', 'source', 'licence', 'attribution', 'notice']) {
      expect(entry[field]!.length).toBeGreaterThan(4);
    }
  });

  it('has input and reference of one shape in one space', () => {
    expect([input.slices, input.rows, input.columns]).toEqual(sample.shape);
    expect([reference.slices, reference.rows, reference.columns]).toEqual(sample.shape);
    expect(input.affine).not.toBeNull();
    expect(input.affine).toEqual(reference.affine);
    expect(input.spacing).toEqual(reference.spacing);
  });

  it('holds the voxels that the independent reader saw, in the same order', () => {
    const size = input.rows * input.columns;
    for (const { slice, row, column, input: expected } of sample.probes) {
      const value = input.data[slice * size + row * input.columns + column]!;
      // Expected values carry seven digits.
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * Math.abs(expected));
    }
  });

  it('is normalised by the card as numpy does it', () => {
    // Nine digits of the scale; means summed in another order.
    expect(normalisation.offset).toBe(sample.offset);
    expect(Math.abs(normalisation.scale / sample.scale - 1)).toBeLessThan(1e-6);
    const range = evaluationRange(sample.modality, normalisation);
    expect(range.min).toBe(sample.range.min);
    expect(Math.abs(range.max / sample.range.max - 1)).toBeLessThan(1e-6);
  });

  it('is as far from its reference as numpy says, slice by slice and on average', () => {
    const range = evaluationRange(sample.modality, normalisation);
    const found = sample.slices.map((_, i) => evaluate(sliceOf(reference, i), sliceOf(input, i), range));
    const close = (value: number, expected: number) => {
      // Seven digits were written.
      expect(Math.abs(value / expected - 1)).toBeLessThan(2e-6);
    };
    for (const metric of ['psnr', 'ssim', 'rmse'] as const) {
      found.forEach((evaluation, i) => close(evaluation[metric], sample.slices[i]!.input[metric]));
      close(summarise(found)[metric]!.mean, sample.mean.input[metric]);
    }
  });
});
