import type { Evaluation } from './metrics.ts';

export interface MeanAndDeviation {
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for a single value. */
  readonly deviation: number | null;
  /** Values that are in the mean: the finite ones. */
  readonly count: number;
}

export interface Summary {
  readonly slices: number;
  readonly psnr: MeanAndDeviation | null;
  readonly ssim: MeanAndDeviation | null;
  readonly rmse: MeanAndDeviation | null;
  /** Slices that equal their reference, PSNR Infinity: left out of the mean of PSNR only. */
  readonly identical: number;
  /** Slices whose reference is constant: see Evaluation. */
  readonly constantReferences: number;
}

/** Mean ± standard deviation of each metric over slices; null where there is nothing to average. */
export function summarise(evaluations: readonly Evaluation[]): Summary {
  return {
    slices: evaluations.length,
    psnr: meanAndDeviation(evaluations.map(({ psnr }) => psnr)),
    ssim: meanAndDeviation(evaluations.map(({ ssim }) => ssim)),
    rmse: meanAndDeviation(evaluations.map(({ rmse }) => rmse)),
    identical: evaluations.filter(({ psnr }) => psnr === Infinity).length,
    constantReferences: evaluations.filter(({ constantReference }) => constantReference).length,
  };
}

/** Of the finite values; null where there is none. */
export function meanAndDeviation(values: readonly number[]): MeanAndDeviation | null {
  const finite = values.filter(Number.isFinite);
  const count = finite.length;
  if (count === 0) return null;
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, deviation: null, count };
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}

/** The metrics of the paper's tables. */
export const METRICS = ['psnr', 'ssim', 'rmse'] as const;
export type Metric = (typeof METRICS)[number];
