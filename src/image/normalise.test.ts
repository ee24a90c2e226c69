import { describe, expect, it } from 'vitest';
import type { Modality, Volume } from '../formats/volume.ts';
import { denormalise, IDENTITY, normalisationFor, normalise } from './normalise.ts';
import { percentile } from './percentile.ts';
import { sliceOf } from './slice.ts';

function volume(values: ArrayLike<number>, more: Partial<Volume> = {}): Volume {
  return {
    name: 'test',
    format: 'nifti',
    modality: null,
    units: 'raw',
    columns: values.length,
    rows: 1,
    slices: 1,
    data: Float32Array.from(values),
    spacing: null,
    affine: null,
    origin: { format: 'dicom', slices: [] },
    times: 1,
    suv: null,
    notices: [],
    ...more,
  };
}

/** 1000 voxels from −200 to 808. */
const voxels = Float32Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1009) - 200);
const PERCENTILE = { rule: 'percentile', percentile: 99.8, times: 0.6 } as const;
const MEAN_ABOVE = { rule: 'meanAbovePercentile', percentile: 60, times: 0.05 } as const;

describe('percentile', () => {
  // numpy.percentile of the same twelve values in float64.
  it.each([
    [0, -3.5],
    [10, 0],
    [37.5, 0.125],
    [60, 5.1],
    [100, 300000000],
  ])('%d of twelve values is what numpy gives', (q, expected) => {
    const values = Float32Array.of(-3.5, 0, 0, 1, 2.25, 7, -0, 1e-30, 3e8, 12, 12, 12.5);
    expect(percentile(values, q)).toBeCloseTo(expected, 6);
  });

  it('leaves out what is not finite or not kept, and is null for nothing', () => {
    const values = Float32Array.of(NaN, -5, 2, Infinity, 4, -Infinity);
    expect(percentile(values, 50)).toBe(2);
    expect(percentile(values, 50, (value) => value > 0)).toBe(3);
    expect(percentile(values, 50, (value) => value > 9)).toBeNull();
    expect(() => percentile(values, 101)).toThrow(/101 is outside 0 to 100/);
  });
});

describe('normalisation', () => {
  it('takes the paper\'s range where the card has no rule', () => {
    const range = (modality: Modality) => {
      const { offset, scale } = normalisationFor(modality, volume([0], { units: 'SUV' }), null);
      return [offset, offset + 1 / scale];
    };
    expect(range('ct')).toEqual([-1024, 3072]);
    expect(range('pet')).toEqual([0, 20]);
    expect(range('mri')).toEqual([0, 4095]);
  });

  it('divides MRI by percentile 99.8 of its positive voxels', () => {
    const { offset, scale } = normalisationFor('mri', volume(voxels), PERCENTILE);
    expect(offset).toBe(0);
    // numpy: 0.6 / numpy.percentile(z[z > 0], 99.8)
    expect(scale).toBeCloseTo(0.6 / 806.4, 9);
  });

  it('divides PET by the mean of its upper 40 %', () => {
    const { offset, scale } = normalisationFor('pet', volume(voxels, { units: 'Bq/mL' }), MEAN_ABOVE);
    expect(offset).toBe(0);
    // numpy: 0.05 / z[z > numpy.percentile(z, 60)].mean()
    expect(scale).toBeCloseTo(0.05 / 607.315, 9);
  });

  it('leaves PNG and images without a modality in [0, 1]', () => {
    const png = volume([0.25], { format: 'png', origin: { format: 'picture', bitDepth: 8 } });
    expect(normalisationFor('mri', png, PERCENTILE)).toEqual(IDENTITY);
    expect(normalisationFor(null, volume([0.25]), null)).toEqual(IDENTITY);
  });

  it('says so where the rule has nothing to stand on', () => {
    const empty = normalisationFor('mri', volume([0, 0, -1, NaN]), PERCENTILE);
    expect([empty.offset, empty.scale]).toEqual([0, 1]);
    expect(empty.notice).toMatch(/no percentile 99.8 of voxels above 0/);
    const flat = normalisationFor('pet', volume([7, 7, 7]), MEAN_ABOVE);
    expect(flat.notice).toMatch(/no mean of voxels above percentile 60/);
    expect(normalisationFor('pet', volume([7], { units: 'Bq/mL' }), null).notice).toMatch(/SUV .* in Bq\/mL/);
  });

  it('clamps to [0, 1], takes non-finite voxels as the minimum, and counts both', () => {
    const ct = volume([-2000, -1024, 0, 3072, 3073, NaN, Infinity, -Infinity]);
    const normalisation = normalisationFor('ct', ct, null);
    const { image, clamped, nonFinite } = normalise(sliceOf(ct, 0), normalisation);
    expect([...image.data]).toEqual([0, 0, 0.25, 1, 1, 0, 0, 0]);
    expect(clamped).toBe(2);
    expect(nonFinite).toBe(3);
    expect(ct.data[0]).toBe(-2000);
  });

  it('goes back to native units without a clamp', () => {
    const ct = volume([-1000, -37.5, 0, 240, 3071]);
    const normalisation = normalisationFor('ct', ct, null);
    const back = denormalise(normalise(sliceOf(ct, 0), normalisation).image, normalisation);
    // float32 in [0, 1] resolves 6e-8 · 4096 HU.
    back.data.forEach((value, i) => expect(Math.abs(value - ct.data[i]!)).toBeLessThan(3e-4));
    const beyond = { width: 2, height: 1, data: Float32Array.of(-0.25, 1.25) };
    expect([...denormalise(beyond, normalisation).data]).toEqual([-2048, 4096]);
  });
});

describe('slices', () => {
  it('are views on the volume in order', () => {
    const v = volume([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { columns: 3, rows: 2, slices: 2 });
    const slice = sliceOf(v, 1);
    expect(slice).toEqual({ width: 3, height: 2, data: Float32Array.of(7, 8, 9, 10, 11, 12) });
    expect(slice.data.buffer).toBe(v.data.buffer);
  });

  it.each([-1, 2, 0.5, NaN])('number %d is refused', (index) => {
    const v = volume([1, 2], { columns: 1, rows: 1, slices: 2 });
    expect(() => sliceOf(v, index)).toThrow(/choose 0 to 1/);
  });
});
