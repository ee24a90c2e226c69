import { ON_DEVICE, REPORT_KIND, REPORT_SCHEMA } from './deviceReport.ts';
import type { CaseReport, DeviceReport, Timing } from './deviceReport.ts';

export const timing = (name: string, median: number, deviation: number, peer = false): Timing =>
  ({ name, peer, first: 2 * median, min: median - deviation, median, deviation, rounds: 10 });

/** 8 ms by the engine against a floor of 2, and two kernels. */
export const CASE: CaseReport = {
  variant: 'light', size: 128, flops: 3e9,
  plan: {
    prepare: 300, cold: true, dispatches: 12, bytes: 11 * 2 ** 20, floor: { flops: 3e9, bytes: 2e8, milliseconds: 2 },
    kernels: [
      { name: 'linear', dispatches: 8, median: 6, deviation: 0.1 },
      { name: 'conv', dispatches: 4, median: 2, deviation: 0.05 },
    ],
  },
  timings: [timing(ON_DEVICE, 8, 0.2), timing('stock tfjs-webgpu, with read-back', 80, 1, true)],
};

export const REPORT: DeviceReport = {
  kind: REPORT_KIND, schema: REPORT_SCHEMA, date: '2030-01-31', machine: 'Processor × 2',
  adapter: {
    name: 'Some GPU', software: false, features: ['subgroups', 'timestamp-query'], precision: 'f32',
    rates: { bytesPerSecond: 4e11, flopsPerSecond: 1.5e12 },
  },
  cases: [CASE],
  leftOut: [],
  training: null,
};
