import type { TrainingOptions } from './training.ts';

/**
 * Learning rate of a step, counted from 0: half a cosine from `rate` at step 0 to `lastRate` at step `steps`, which is
 * no longer taken (PyTorch's CosineAnnealingLR with T_max = steps, eta_min = lastRate).
 */
export function cosineRate(step: number, options: Pick<TrainingOptions, 'steps' | 'rate' | 'lastRate'>): number {
  const { steps, rate, lastRate } = options;
  return lastRate + ((rate - lastRate) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
