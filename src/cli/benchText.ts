import { growth, mainTiming, ON_DEVICE } from '../engine/deviceReport.ts';
import type { CaseReport, DeviceReport, PlanReport, Timing } from '../engine/deviceReport.ts';
import { adapterName, caseName, digits, milliseconds, ratesOf, share } from '../engine/deviceReportWords.ts';
import { sharesOf } from '../engine/kernelReport.ts';
import { trainingText } from './benchTraining.ts';

/** A report for a terminal. */
export function reportText(report: DeviceReport): string {
  const { adapter, machine, cases, leftOut, training } = report;
  const lines = [machine];
  if (adapter) {
    const features = adapter.features.join(', ') || 'none of the features that kernels use';
    lines.push(`adapter: ${adapterName(adapter)}; ${adapter.precision}; ${features}; ${ratesOf(adapter)}`);
  }
  for (const one of cases) lines.push('', ...caseLines(one, adapter?.features.includes('timestamp-query') ?? false));
  const grown = growth(cases);
  if (grown.length > 0) lines.push('');
  for (const { variant, from, to, pixels, time, memory } of grown) {
    const times = `${digits(pixels)} times the pixels take ${digits(time)} times the time`;
    const more = memory === null ? '' : ` and ${digits(memory)} times the memory`;
    lines.push(`${variant} ${from}² → ${to}²: ${times}${more}`);
  }
  for (const one of leftOut) lines.push(`${caseName(one)} left out: ${one.why}`);
  if (training) lines.push('', ...trainingText(training));
  return lines.join('\n');
}

function caseLines(one: CaseReport, timestamps: boolean): string[] {
  const { variant, size, flops, plan, timings } = one;
  const lines = [`${variant}, ${size}×${size}, ${(flops / 1e9).toFixed(2)} GFLOP`];
  if (plan) {
    lines.push(
      `prepare ${plan.prepare.toFixed(0)} ms${plan.cold ? ' with pipelines' : ''}, activations ` +
      `${(plan.bytes / 2 ** 20).toFixed(1)} MiB, ${plan.dispatches} dispatches`,
    );
  }
  lines.push(...timings.map((timing) => timingLine(timing, flops)));
  if (plan) lines.push(floorLine(plan, mainTiming(one)));
  lines.push(...comparisons(timings));
  if (plan?.kernels) lines.push(...kernelLines(plan.kernels));
  else if (plan && !timestamps) lines.push('kernels are not timed: this device has no timestamp-query');
  return lines;
}

function timingLine({ name, median, deviation, min, first }: Timing, flops: number): string {
  return (
    `${name.padEnd(36)} median ${digits(median)} ± ${digits(deviation)} ms, min ${digits(min)}, ` +
    `first ${first.toFixed(0)}; ${(flops / median / 1e6).toFixed(1)} GFLOP/s`
  );
}

function floorLine({ floor }: PlanReport, timing: Timing | undefined): string {
  const times = timing ? `; the engine takes ${(timing.median / floor.milliseconds).toFixed(1)} times that` : '';
  return (
    `floor: ${(floor.flops / 1e9).toFixed(1)} GFLOP and ${(floor.bytes / 1e9).toFixed(2)} GB, so ` +
    `${digits(floor.milliseconds)} ms at the least${times}`
  );
}

/** How our times stand to peers': the engine's with read-back, as a peer's is, and the fallback's to those on wasm. */
function comparisons(timings: readonly Timing[]): string[] {
  return timings.filter(({ peer }) => peer).flatMap((peer) => {
    const onWasm = /\bwasm\b/.test(peer.name);
    const ours = timings.find(({ name, peer }) => !peer && name !== ON_DEVICE && /\bwasm\b/.test(name) === onWasm);
    return ours ? [`${ours.name} / ${peer.name}: ${(ours.median / peer.median).toFixed(3)}`] : [];
  });
}

function kernelLines(kernels: NonNullable<PlanReport['kernels']>): string[] {
  const shares = sharesOf(kernels);
  return kernels.map(({ name, dispatches, median, deviation }, i) =>
    `  ${share(shares[i]!).padStart(5)}  ${name.padEnd(32)} ${milliseconds({ median, deviation }).padStart(16)} ` +
    `in ${dispatches} ${dispatches === 1 ? 'dispatch' : 'dispatches'}`);
}
