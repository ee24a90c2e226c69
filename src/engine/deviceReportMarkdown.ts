import { growth, mainTiming } from './deviceReport.ts';
import type { CaseReport, DeviceReport, TrainingReport } from './deviceReport.ts';
import {
  adapterName, caseName, digits, floorRatio, mebibytes, milliseconds, ratesOf, share,
} from './deviceReportWords.ts';
import { sharesOf, type KernelReport } from './kernelReport.ts';

/** A report as tables for a README. */
export function reportMarkdown(report: DeviceReport): string {
  const { adapter, machine, date, cases, leftOut, training } = report;
  const on = adapter
    ? [adapterName(adapter), adapter.precision, `${ratesOf(adapter)} measured`, ...adapter.features].join(', ')
    : 'No WebGPU';
  const parts = [plain(`${on}; ${machine}; ${date}`)];
  if (cases.length > 0) parts.push(casesTable(cases));
  if (cases.length > 0 && adapter) parts.push('The floor is the least time that the measured rates allow.');
  const grown = growth(cases).map(({ variant, from, to, pixels, time, memory }) =>
    `${variant} ${from}² → ${to}², ${digits(pixels)}× the pixels: ${digits(time)}× the time` +
    `${memory === null ? '' : `, ${digits(memory)}× the memory`}`);
  if (grown.length > 0) parts.push(list(grown));
  if (cases.some(({ timings }) => timings.length > 1)) parts.push(timingsTable(cases));
  for (const one of cases) if (one.plan?.kernels) parts.push(kernelsTable(one, one.plan.kernels));
  if (leftOut.length > 0) parts.push(list(leftOut.map((one) => `${caseName(one)} left out: ${one.why}`)));
  if (training) parts.push(trainingMarkdown(training));
  return `${parts.join('\n\n')}\n`;
}

export function trainingMarkdown({ batch, crop, cases }: TrainingReport): string {
  const rows = cases.map((one) => [one.name, milliseconds(one), digits(one.first), mebibytes(one.peakBytes)]);
  return table([`training step, light, batch ${batch}, ${crop}²`, 'time', 'first, ms', 'peak GPU memory'], rows);
}

function casesTable(cases: readonly CaseReport[]): string {
  const rows = cases.map((one) => {
    const { plan, flops } = one;
    const main = mainTiming(one);
    return [
      caseName(one),
      main ? milliseconds(main) : '–',
      floorRatio(one),
      main ? digits(flops / main.median / 1e6) : '–',
      plan ? mebibytes(plan.bytes) : '–',
      plan ? String(plan.dispatches) : '–',
      plan && main ? `${digits(plan.prepare + main.first)} ms${plan.cold ? ', shaders compiled' : ''}` : '–',
    ];
  });
  return table(['network', 'an image', 'times the floor', 'GFLOP/s', 'activations', 'dispatches', 'first image'], rows);
}

function timingsTable(cases: readonly CaseReport[]): string {
  const rows = cases.flatMap((one) => {
    const main = mainTiming(one);
    return one.timings.map((timing) => [
      caseName(one), timing.name, milliseconds(timing), digits(timing.first),
      main ? `${(timing.median / main.median).toFixed(2)}×` : '–',
    ]);
  });
  return table(['network', 'by', 'an image', 'first, ms', 'relative'], rows);
}

function kernelsTable(one: CaseReport, kernels: readonly KernelReport[]): string {
  const shares = sharesOf(kernels);
  const rows = kernels.map((kernel, i) =>
    [kernel.name, String(kernel.dispatches), milliseconds(kernel), share(shares[i]!)]);
  return table([`kernel, ${caseName(one)}`, 'dispatches', 'time', 'share'], rows);
}

/** The first column to the left, the figures to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(' | ')} |`;
  return [line(head), `|---|${'--:|'.repeat(head.length - 1)}`, ...rows.map(line)].join('\n');
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${plain(line)}`).join('\n');

/** What adapters call themselves must not end a cell, begin a link or be taken for HTML. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').replace(/[|<>[\]`*_\\]/g, '\\$&');
