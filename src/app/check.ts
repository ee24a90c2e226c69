import type { BenchCase, DeviceReport } from '../engine/deviceReport.ts';

/** What the page and its worker say to each other about the check of the device. */
export type CheckToWorker = { type: 'check'; cases: readonly BenchCase[] };

export type CheckFromWorker = { type: 'check'; check: CheckState };

export interface CheckState {
  readonly phase: 'running' | 'ended';
  readonly cases: readonly BenchCase[];
  /** Of the cases, how many are done; a part of one counts by its part. */
  readonly done: number;
  /** What is measured so far; null where nothing is. */
  readonly report: DeviceReport | null;
  readonly problem: string | null;
}

/** Edges of the images that can be measured. */
export const CHECK_SIZES = [128, 256, 512, 1024] as const;
