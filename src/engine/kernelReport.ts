import type { KernelTime } from './profile.ts';
import { spread } from './spread.ts';

/** The dispatches of one kernel in an image, whatever their sizes. */
export interface KernelReport {
  readonly name: string;
  readonly dispatches: number;
  /** Milliseconds of all of them. */
  readonly median: number;
  /** Median absolute deviation. */
  readonly deviation: number;
}

/** "biWkv rows 48 whole" → "biWkv rows whole": a label without its sizes. */
export const kernelName = (label: string): string =>
  label.split(' ').filter((word) => !/^\d[\d→×]*,?$/.test(word)).join(' ');

/** Labels of one kernel together, over several runs of the same plan; what takes longest comes first. */
export function groupKernels(runs: readonly (readonly KernelTime[])[]): KernelReport[] {
  const summed = runs.map((run) => {
    const kernels = new Map<string, { dispatches: number; milliseconds: number }>();
    for (const { label, dispatches, milliseconds } of run) {
      const known = kernels.get(kernelName(label)) ?? { dispatches: 0, milliseconds: 0 };
      known.dispatches += dispatches;
      known.milliseconds += milliseconds;
      kernels.set(kernelName(label), known);
    }
    return kernels;
  });
  return [...(summed[0] ?? [])]
    .map(([name, { dispatches }]) => {
      const samples = summed.map((run) => run.get(name)?.milliseconds ?? 0);
      return { name, dispatches, ...spread(samples) };
    })
    .sort((a, b) => b.median - a.median);
}

/** Each kernel's part of the time of all kernels, 0 … 1; null where timestamps are too coarse to tell. */
export function sharesOf(kernels: readonly KernelReport[]): (number | null)[] {
  const total = kernels.reduce((sum, { median }) => sum + median, 0);
  return kernels.map(({ median }) => (total > 0 ? median / total : null));
}
