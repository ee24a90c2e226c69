import type { AdapterReport, BenchCase, CaseReport, DeviceReport, Timing } from '../engine/deviceReport.ts';
import { mainTiming } from '../engine/deviceReport.ts';
import { adapterName, caseName, milliseconds } from '../engine/deviceReportWords.ts';
import { RefusedError } from './errors.ts';

/** One time that both reports have. */
export interface Change {
  readonly case: string;
  /** A kernel, or a way to compute the whole image. */
  readonly what: string;
  readonly before: Spread;
  readonly after: Spread;
  readonly verdict: 'slower' | 'faster' | 'same';
  /** Somebody else's code: what it says is about the machine. */
  readonly peer: boolean;
}

type Spread = Pick<Timing, 'median' | 'deviation'>;
type Named = Spread & { readonly name: string; readonly peer?: boolean };

/** What changes less than this, or less than so many deviations, is noise. */
const LEAST_CHANGE = 0.1;
const LEAST_DEVIATIONS = 3;
/** A kernel's change below this part of the image's time is noise, too: timestamps are coarse. */
const LEAST_PART = 0.01;

/** What a report is of, known before anything is measured. */
export interface Comparable {
  readonly machine: string;
  readonly adapter: Pick<AdapterReport, 'name' | 'software' | 'precision'> | null;
  readonly cases: readonly BenchCase[];
}

/** What got slower or faster from one report to another: cases and kernels that both have. */
export function compareReports(before: DeviceReport, after: DeviceReport): Change[] {
  return after.cases.flatMap((now) => {
    const then = before.cases.find((one) => isSame(one, now));
    return then ? compareCases(then, now) : [];
  });
}

/** @throws RefusedError where reports are of different devices, or have no case in common */
export function expectComparable(before: Comparable, after: Comparable): void {
  expectSameDevice(before, after);
  if (after.cases.some((now) => before.cases.some((then) => isSame(then, now)))) return;
  throw new RefusedError(
    `bench: the reports have no case in common, one has ${casesOf(before)}, the other ${casesOf(after)}; ` +
    'choose --variant and --size as in the older one',
  );
}

const isSame = (a: BenchCase, b: BenchCase): boolean => a.variant === b.variant && a.size === b.size;

/** How two reports differ, a line each, and the sum of it. */
export function comparisonText(changes: readonly Change[]): string {
  const lines = changes.map(({ case: name, what, before, after, verdict, peer }) => {
    const percent = before.median > 0 ? 100 * (after.median / before.median - 1) : 0;
    const change = `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(0)} %`;
    const doubt = peer && verdict !== 'same' ? ' (not our code: the machine is another or busy)' : '';
    const times = `${milliseconds(before)} → ${milliseconds(after)}, ${change}${doubt}`;
    return `${verdict.padEnd(6)}  ${name.padEnd(12)} ${what.padEnd(36)} ${times}`;
  });
  const ours = changes.filter(({ peer }) => !peer);
  const counted = (verdict: Change['verdict']) => ours.filter((change) => change.verdict === verdict).length;
  const sum = `${counted('slower')} slower, ${counted('faster')} faster, ${counted('same')} the same within noise`;
  return [...lines, sum].join('\n');
}

/** Whether anything of ours got slower. */
export const isSlower = (changes: readonly Change[]): boolean =>
  changes.some(({ verdict, peer }) => verdict === 'slower' && !peer);

function expectSameDevice(before: Comparable, after: Comparable): void {
  const name = ({ adapter }: Comparable) => (adapter ? adapterName(adapter) : 'no WebGPU');
  if (name(before) !== name(after)) {
    throw new RefusedError(
      `bench: the older report is of ${name(before)}, this one of ${name(after)}; times of two devices say ` +
      'nothing of the program, compare on one',
    );
  }
  if (before.adapter?.precision !== after.adapter?.precision) {
    throw new RefusedError(
      `bench: the older report is of ${before.adapter?.precision}, this one of ${after.adapter?.precision}; choose ` +
      '--precision as in the older one',
    );
  }
  if ((after.adapter?.software ?? true) && before.machine !== after.machine) {
    throw new RefusedError(
      `bench: the older report is of ${before.machine}, this one of ${after.machine}; compare on one processor`,
    );
  }
}

const casesOf = ({ cases }: Comparable) => cases.map(caseName).join(', ') || 'none';

function compareCases(before: CaseReport, after: CaseReport): Change[] {
  const common = (then: readonly Named[], now: readonly Named[], least: number): Change[] =>
    now.flatMap((one) => {
      const old = then.find(({ name }) => name === one.name);
      if (!old) return [];
      const { name: what, peer = false } = one;
      return [{ case: caseName(after), what, before: old, after: one, verdict: verdict(old, one, least), peer }];
    });
  const least = LEAST_PART * (mainTiming(before)?.median ?? 0);
  return [
    ...common(before.timings, after.timings, 0),
    ...common(before.plan?.kernels ?? [], after.plan?.kernels ?? [], least),
  ];
}

function verdict(before: Spread, after: Spread, least: number): Change['verdict'] {
  const change = after.median - before.median;
  const noise = Math.max(
    LEAST_CHANGE * before.median, LEAST_DEVIATIONS * before.deviation, LEAST_DEVIATIONS * after.deviation, least,
  );
  if (Math.abs(change) <= noise) return 'same';
  return change > 0 ? 'slower' : 'faster';
}
