import { cpus } from 'node:os';

/** "Intel(R) Xeon(R) Processor × 2" */
export const machineName = (): string => `${cpus()[0]?.model.trim() ?? 'unknown processor'} × ${cpus().length}`;

/** Milliseconds until `run` has ended. */
export async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** Median, and median absolute deviation from it. */
export function spread(samples: readonly number[]): { median: number; deviation: number } {
  const median = middle(samples);
  return { median, deviation: middle(samples.map((sample) => Math.abs(sample - median))) };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}
