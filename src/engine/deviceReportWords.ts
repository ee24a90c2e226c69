import type { AdapterReport, BenchCase, CaseReport, Timing } from './deviceReport.ts';
import { timesFloor } from './deviceReport.ts';

/** Milliseconds to about three digits. */
export const digits = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** "5.14 ± 0.03 ms" */
export function milliseconds({ median, deviation }: Pick<Timing, 'median' | 'deviation'>): string {
  const places = median < 10 ? 2 : median < 100 ? 1 : 0;
  return `${median.toFixed(places)} ± ${deviation.toFixed(places)} ms`;
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;

/** "light 512²" */
export const caseName = ({ variant, size }: BenchCase): string => `${variant} ${size}²`;

/** "3.2×"; "–" without WebGPU. */
export function floorRatio(report: CaseReport): string {
  const times = timesFloor(report);
  return times === null ? '–' : `${times.toFixed(1)}×`;
}

/** "llvmpipe (software rendering)" */
export const adapterName = ({ name, software }: Pick<AdapterReport, 'name' | 'software'>): string =>
  software ? `${name} (software rendering)` : name;

/** "4.9 GFLOP/s and 7.1 GB/s" */
export const ratesOf = ({ rates }: AdapterReport): string =>
  `${digits(rates.flopsPerSecond / 1e9)} GFLOP/s and ${digits(rates.bytesPerSecond / 1e9)} GB/s`;

/** "12 %"; "–" where timestamps were too coarse. */
export const share = (part: number | null): string => {
  if (part === null) return '–';
  return part < 0.01 ? '< 1 %' : `${Math.round(100 * part)} %`;
};
