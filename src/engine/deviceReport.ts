import type { DeviceRates, Floor } from './floor.ts';
import type { KernelReport } from './kernelReport.ts';

export const REPORT_KIND = 'restore-rwkv bench';
export const REPORT_SCHEMA = 1;

export type VariantName = 'light' | 'full';

/** One image of `size` × `size` pixels through a network. */
export interface BenchCase {
  readonly variant: VariantName;
  readonly size: number;
}

/** What was measured on a device: plain JSON, to be shown, shared and compared. Times are in milliseconds. */
export interface DeviceReport {
  readonly kind: typeof REPORT_KIND;
  readonly schema: typeof REPORT_SCHEMA;
  /** YYYY-MM-DD */
  readonly date: string;
  /** The processor, or the browser. */
  readonly machine: string;
  /** null: measured without WebGPU. */
  readonly adapter: AdapterReport | null;
  readonly cases: readonly CaseReport[];
  readonly leftOut: readonly LeftOut[];
  readonly training: TrainingReport | null;
}

export interface AdapterReport {
  readonly name: string;
  /** A processor that plays GPU. */
  readonly software: boolean;
  /** Those that the kernels or this report use. */
  readonly features: readonly string[];
  /** How activations are stored. */
  readonly precision: 'f32' | 'f16';
  readonly rates: DeviceRates;
}

export interface CaseReport extends BenchCase {
  /** Two for each multiply-accumulate of convolutions, linears and Omni-Shifts. */
  readonly flops: number;
  /** null: measured without WebGPU. */
  readonly plan: PlanReport | null;
  readonly timings: readonly Timing[];
}

export interface PlanReport {
  /** Until the first image could be submitted: recording, pipelines, buffers. */
  readonly prepare: number;
  /** Whether pipelines were compiled in that time; cases after the first one on a device find them ready. */
  readonly cold: boolean;
  readonly dispatches: number;
  /** Of activations. */
  readonly bytes: number;
  readonly floor: Floor;
  /** From timestamps; null where they were not asked for or the device has none. */
  readonly kernels: readonly KernelReport[] | null;
}

/** One way to compute the image. */
export interface Timing {
  readonly name: string;
  /** Somebody else's code, to compare with. */
  readonly peer: boolean;
  /** The first image, with what is compiled lazily. */
  readonly first: number;
  readonly min: number;
  readonly median: number;
  /** Median absolute deviation. */
  readonly deviation: number;
  readonly rounds: number;
}

export interface LeftOut extends BenchCase {
  /** A clause, to be read after "left out: ". */
  readonly why: string;
}

/** One step of training the light network. */
export interface TrainingReport {
  readonly batch: number;
  readonly crop: number;
  readonly cases: readonly TrainingTiming[];
}

export interface TrainingTiming extends Omit<Timing, 'rounds'> {
  readonly peakBytes: number;
}

/** The time without reading the result back: what is held against the floor. */
export const ON_DEVICE = 'engine, on the device';

/** The timing that stands for a case: our own, on the device where there is one. */
export const mainTiming = ({ timings }: CaseReport): Timing | undefined =>
  timings.find(({ name }) => name === ON_DEVICE) ?? timings.find(({ peer }) => !peer);

/** How many times the least possible time an image takes; null without WebGPU. */
export function timesFloor(report: CaseReport): number | null {
  const timing = mainTiming(report);
  return report.plan && timing ? timing.median / report.plan.floor.milliseconds : null;
}

export interface Growth {
  readonly variant: VariantName;
  readonly from: number;
  readonly to: number;
  /** Times as many. */
  readonly pixels: number;
  readonly time: number;
  /** null without WebGPU. */
  readonly memory: number | null;
}

/** What time and memory do from one size of a network to the next larger one; linear cost grows as pixels do. */
export function growth(cases: readonly CaseReport[]): Growth[] {
  return (['light', 'full'] as const).flatMap((variant) => {
    const rising = cases.filter((one) => one.variant === variant).sort((a, b) => a.size - b.size);
    return rising.slice(1).flatMap((after, i) => {
      const before = rising[i]!;
      const [slow, fast] = [mainTiming(after), mainTiming(before)];
      if (!slow || !fast) return [];
      const memory = after.plan && before.plan ? after.plan.bytes / before.plan.bytes : null;
      const pixels = (after.size / before.size) ** 2;
      return [{ variant, from: before.size, to: after.size, pixels, time: slow.median / fast.median, memory }];
    });
  });
}
