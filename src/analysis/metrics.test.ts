import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Modality } from '../formats/volume.ts';
import { IDENTITY, type Normalisation } from '../image/normalise.ts';
import type { Slice } from '../image/slice.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { evaluate, EVALUATION_RANGE, evaluationRange, ssimMap } from './metrics.ts';
import { meanAndDeviation, summarise } from './summary.ts';

const golden = readSafetensors(readFileSync(new URL('./fixtures/metrics.safetensors', import.meta.url))).tensors;

function goldenSlice(name: string): Slice {
  const { shape, data } = golden.get(name)!;
  return { height: shape[0]!, width: shape[1]!, data: Float32Array.from(data) };
}

const filled = (width: number, height: number, value: (i: number) => number): Slice => ({
  width,
  height,
  data: Float32Array.from({ length: width * height }, (_, i) => value(i)),
});

describe('metrics', () => {
  it.each(['ct', 'pet', 'mri'] as const)('meet the golden values of %s', (modality: Modality) => {
    const { psnr, ssim, rmse, constantReference, nonFinite } = evaluate(
      goldenSlice(`${modality}.label`),
      goldenSlice(`${modality}.estimate`),
      EVALUATION_RANGE[modality],
    );
    const expected = golden.get(`${modality}.psnr_ssim_rmse`)!.data;
    // Both in float64 from the same float32 images.
    [psnr, ssim, rmse].forEach((value, i) => expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-6));
    expect([constantReference, nonFinite]).toEqual([false, 0]);
  });

  it('have the mean of the SSIM map as SSIM', () => {
    const [reference, estimate] = [goldenSlice('ct.label'), goldenSlice('ct.estimate')];
    const map = ssimMap(reference, estimate, EVALUATION_RANGE.ct);
    expect([map.width, map.height]).toEqual([90, 70]);
    const mean = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
    // The map is float32.
    expect(mean).toBeCloseTo(golden.get('ct.psnr_ssim_rmse')!.data[1]!, 6);
  });

  it('see a single wrong voxel in the map within 5 voxels of it and nowhere else', () => {
    const reference = filled(23, 17, (i) => (i % 7) + (i % 3));
    const wrong = { ...reference, data: reference.data.slice() };
    wrong.data[8 * 23 + 11]! += 3;
    const map = ssimMap(reference, wrong, { min: 0, max: 20 });
    map.data.forEach((value, i) => {
      const near = Math.abs((i % 23) - 11) <= 5 && Math.abs(Math.floor(i / 23) - 8) <= 5;
      if (near) expect(value).toBeLessThan(1);
      else expect(value).toBeCloseTo(1, 6);
    });
  });

  it('give Infinity, 1 and 0 for equal images', () => {
    const image = filled(5, 9, (i) => i);
    const result = evaluate(image, image, { min: 0, max: 100 });
    expect(result).toMatchObject({ psnr: Infinity, ssim: 1, rmse: 0, dataRange: 44 });
  });

  it('stand on the width of the range where the reference is constant, and say so', () => {
    const result = evaluate(filled(4, 4, () => 300), filled(4, 4, () => 200), EVALUATION_RANGE.ct);
    // Clamped to 240 against 200: 40 of 400, 20 dB.
    expect(result.constantReference).toBe(true);
    expect(result.dataRange).toBe(400);
    expect(result.psnr).toBeCloseTo(20, 10);
    expect(result.rmse).toBeCloseTo(40, 10);
    expect(Number.isFinite(result.ssim)).toBe(true);
  });

  it('take non-finite voxels as the minimum and count them', () => {
    const reference = filled(3, 2, (i) => i);
    const broken = { ...reference, data: Float32Array.of(NaN, 1, Infinity, 3, -Infinity, 5) };
    const result = evaluate(reference, broken, { min: 0, max: 5 });
    expect(result.nonFinite).toBe(3);
    // Errors 0, 2 and 4 over six voxels.
    expect(result.rmse).toBeCloseTo(Math.sqrt(20 / 6), 10);
  });

  it('refuse images of different sizes and an empty range', () => {
    const image = filled(3, 2, (i) => i);
    expect(() => evaluate(image, filled(2, 3, (i) => i), { min: 0, max: 1 })).toThrow(
      'evaluate: the image is 2 × 3 against a reference of 3 × 2; open a reference of the same size',
    );
    expect(() => evaluate(image, image, { min: 1, max: 1 })).toThrow(/the range 1 … 1 is empty/);
  });
});

describe('evaluation range', () => {
  const map = (offset: number, scale: number): Normalisation => ({ ...IDENTITY, offset, scale, rule: 'range' });

  it('is −160 … 240 HU for CT under any normalisation in HU', () => {
    expect(evaluationRange('ct', map(-1024, 1 / 4096))).toEqual({ min: -160, max: 240 });
    expect(evaluationRange('ct', map(-1000, 1 / 2000))).toEqual({ min: -160, max: 240 });
  });

  it('is what becomes 0 … 1 for PET and MRI', () => {
    expect(evaluationRange('pet', map(0, 1 / 20))).toEqual(EVALUATION_RANGE.pet);
    expect(evaluationRange('mri', map(0, 1 / 4095))).toEqual(EVALUATION_RANGE.mri);
    expect(evaluationRange('mri', map(0, 1 / 256))).toEqual({ min: 0, max: 256 });
  });

  it('is 0 … 1 for images without units', () => {
    for (const modality of ['ct', 'pet', 'mri', null] as const) {
      expect(evaluationRange(modality, IDENTITY)).toEqual({ min: 0, max: 1 });
    }
  });
});

describe('summary over slices', () => {
  it('gives mean and sample standard deviation', () => {
    // numpy: numpy.std([2, 4, 4, 4, 5, 5, 7, 9], ddof=1)
    const { mean, deviation } = meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9])!;
    expect(mean).toBe(5);
    expect(deviation).toBeCloseTo(2.138089935299395, 12);
    expect(meanAndDeviation([3])).toEqual({ mean: 3, deviation: null, count: 1 });
    expect(meanAndDeviation([])).toBeNull();
  });

  it('leaves identical slices out of the mean PSNR and counts them', () => {
    const slice = (psnr: number, ssim: number) => ({
      psnr,
      ssim,
      rmse: 1,
      dataRange: 1,
      constantReference: false,
      nonFinite: 0,
    });
    const summary = summarise([slice(30, 0.5), slice(Infinity, 1), slice(40, 0.75)]);
    expect(summary).toMatchObject({ slices: 3, identical: 1, constantReferences: 0 });
    expect(summary.psnr).toMatchObject({ mean: 35, count: 2 });
    expect(summary.ssim).toMatchObject({ mean: 0.75, count: 3 });
  });
});
