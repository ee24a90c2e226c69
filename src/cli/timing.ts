import { cpus } from 'node:os';

/** "Intel(R) Xeon(R) Processor × 2" */
export const machineName = (): string => `${cpus()[0]?.model.trim() ?? 'unknown processor'} × ${cpus().length}`;

/** Milliseconds until `run` has ended. */
export async function time(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
