import type { Modality } from '../formats/volume.ts';
import type { Normalisation } from '../image/normalise.ts';
import { PAPER_RANGE } from '../image/normalise.ts';
import type { Slice } from '../image/slice.ts';
import { ssimOf } from './ssim.ts';

/** An interval of native values. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What both images are clamped to before they are compared, in the paper's units: HU, SUV, scanner units. */
export const EVALUATION_RANGE: { readonly [M in Modality]: Range } = {
  ct: { min: -160, max: 240 },
  pet: { min: PAPER_RANGE.pet[0], max: PAPER_RANGE.pet[1] },
  mri: { min: PAPER_RANGE.mri[0], max: PAPER_RANGE.mri[1] },
};

export interface Evaluation {
  /** dB; Infinity where the clamped images are equal. */
  readonly psnr: number;
  /** Mean structural similarity, at most 1. */
  readonly ssim: number;
  /** In native units. */
  readonly rmse: number;
  /** max − min of the clamped reference, or of the range where the reference is constant. */
  readonly dataRange: number;
  /** The clamped reference has one value only: PSNR and SSIM stand on the width of the range instead. */
  readonly constantReference: boolean;
  /** NaN and infinite voxels in either image, which count as the range's minimum. */
  readonly nonFinite: number;
}

/**
 * The range to evaluate in, in the volume's native units: the values that the paper's range stands for under the
 * normalisation in use. PET and MRI: what becomes 0 … 1. CT: −160 … 240 HU, whatever the normalisation. Images without
 * units (modality null, or the identity): 0 … 1.
 */
export function evaluationRange(modality: Modality | null, normalisation: Normalisation): Range {
  const { offset, scale, rule } = normalisation;
  if (modality === 'ct' && rule !== 'identity') return EVALUATION_RANGE.ct;
  return { min: offset, max: offset + 1 / scale };
}

/**
 * PSNR, SSIM and RMSE of an estimate [H, W] against a reference [H, W], both clamped to `range` first.
 *
 * PSNR = 10 log10(dataRange² / MSE), with dataRange = max − min of the clamped reference; RMSE = √MSE in native units;
 * SSIM: see ssim.ts. A constant reference has no data range: the width of `range` takes its place and the result says
 * so. Throws RangeError where the sizes differ or the range is empty.
 */
export function evaluate(reference: Slice, estimate: Slice, range: Range): Evaluation {
  const pair = clampPair(reference, estimate, range);
  const { a, b, dataRange } = pair;
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  const mse = squares / a.length;
  const map = ssimOf(a, b, reference.width, reference.height, dataRange);
  return {
    psnr: mse === 0 ? Infinity : 10 * Math.log10((dataRange * dataRange) / mse),
    ssim: map.reduce((sum, value) => sum + value, 0) / map.length,
    rmse: Math.sqrt(mse),
    dataRange,
    constantReference: pair.constantReference,
    nonFinite: pair.nonFinite,
  };
}

/** The local SSIM at every voxel; its mean is what `evaluate` gives. Arguments and errors as there. */
export function ssimMap(reference: Slice, estimate: Slice, range: Range): Slice {
  const { a, b, dataRange } = clampPair(reference, estimate, range);
  const { width, height } = reference;
  return { width, height, data: Float32Array.from(ssimOf(a, b, width, height, dataRange)) };
}

function clampPair(reference: Slice, estimate: Slice, range: Range) {
  const { width, height } = reference;
  if (estimate.width !== width || estimate.height !== height) {
    const sizes = `${estimate.width} × ${estimate.height} against a reference of ${width} × ${height}`;
    throw new RangeError(`evaluate: the image is ${sizes}; open a reference of the same size`);
  }
  if (!(range.max > range.min)) {
    throw new RangeError(`evaluate: the range ${range.min} … ${range.max} is empty; give a minimum below the maximum`);
  }
  let nonFinite = 0;
  const clamp = (value: number) => {
    if (Number.isFinite(value)) return Math.min(Math.max(value, range.min), range.max);
    nonFinite++;
    return range.min;
  };
  const a = Float64Array.from(reference.data, clamp);
  const b = Float64Array.from(estimate.data, clamp);
  let low = Infinity;
  let high = -Infinity;
  for (const value of a) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const constantReference = !(high > low);
  return { a, b, dataRange: constantReference ? range.max - range.min : high - low, constantReference, nonFinite };
}
