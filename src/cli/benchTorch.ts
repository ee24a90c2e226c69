import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { BenchCase, CaseReport, DeviceReport, TrainingReport, VariantName } from '../engine/deviceReport.ts';
import { mainTiming } from '../engine/deviceReport.ts';
import { digits } from '../engine/deviceReportWords.ts';
import { plainText } from '../formats/guard.ts';
import { RefusedError } from './errors.ts';

/** One of PyTorch's medians, as the script printed it. */
export interface TorchRow {
  /** As CUDA names it, or "cpu". */
  readonly device: string;
  readonly torch: string;
  readonly variant: VariantName;
  /** "512x512", or the training step in words. */
  readonly case: string;
  /** "eager float32", "compiled float32 tf32", "eager float16 autocast", … */
  readonly mode: string;
  readonly ms: number;
}

export interface TorchReport {
  readonly rows: readonly TorchRow[];
  /** Why rows are missing, a clause each. */
  readonly leftOut: readonly string[];
}

export interface TorchOptions {
  readonly cases: readonly BenchCase[];
  /** Whether a step of training is timed, too. */
  readonly training: boolean;
  /** Milliseconds that a case may take. */
  readonly budget: number;
  readonly python?: string;
}

/** What a script may print: some hundred bytes a row. */
const MOST_OUTPUT = 2 ** 20;
const MOST_ROWS = 256;
const LONGEST = 80;

/** @throws RefusedError, or Node's error with its code, where there is no such script */
export async function expectScript(path: string): Promise<void> {
  if ((await stat(path)).isFile()) return;
  throw new RefusedError(`${path}: this is no file; give a Python script that times PyTorch`);
}

/**
 * PyTorch's times from a script run as `python3 SCRIPT --sizes 128,256 --variant light` for each variant and with
 * `--train` for a training step; it prints a JSON object a line: device, torch, variant, case, mode, ms. Where it or
 * PyTorch is not installed the report says so.
 */
export async function measureTorch(script: string, options: TorchOptions): Promise<TorchReport> {
  const { cases, training, budget, python = 'python3' } = options;
  const rows: TorchRow[] = [];
  const leftOut: string[] = [];
  const runs = [...new Set(cases.map(({ variant }) => variant))].map((variant) => {
    const sizes = cases.filter((one) => one.variant === variant).map(({ size }) => size);
    const args = ['--sizes', sizes.join(','), '--variant', variant];
    return { what: variant as string, args, patience: sizes.length * budget };
  });
  if (training) runs.push({ what: 'training', args: ['--train', '--variant', 'light'], patience: budget });
  for (const { what, args, patience } of runs) {
    const { output, problem } = await run(python, [script, ...args], patience);
    rows.push(...readRows(output));
    if (problem === null) continue;
    const { why, final } = problem;
    leftOut.push(final ? why : `${what}: ${why}`);
    if (final) break;
  }
  if (rows.length === 0 && leftOut.length === 0) leftOut.push(`${plainText(script)} printed no times`);
  return { rows: rows.slice(0, MOST_ROWS), leftOut };
}

/** What a script printed until it ended, and why that was not well; final: it is no better with other arguments. */
function run(
  python: string, args: readonly string[], patience: number,
): Promise<{ output: string; problem: { why: string; final: boolean } | null }> {
  return new Promise((resolve) => {
    const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors, late] = ['', '', false];
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, Math.min(patience, 2 ** 31 - 1));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MOST_OUTPUT) output += text;
    });
    // The last lines say why.
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4096)));
    const end = (why: string | null, final = false) => {
      clearTimeout(timer);
      resolve({ output, problem: why === null ? null : { why, final } });
    };
    child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      end(code === 'ENOENT' ? `${python} is not installed` : plainText(message, LONGEST), true));
    child.on('close', (status) => {
      const missing = /No module named '([\w.]{1,80})'/.exec(errors)?.[1];
      if (late) end(`it took more than ${Math.round(patience / 1000)} s`);
      else if (status === 0) end(null);
      else if (missing) end(`Python has no module "${missing}"`, true);
      else end(plainText(errors.trim().split('\n').at(-1) ?? '', LONGEST) || `it ended with status ${status}`);
    });
  });
}

/** The lines that are rows; others, such as a library's own, are none of ours. */
function readRows(output: string): TorchRow[] {
  return output.split('\n').flatMap((line) => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    if (typeof value !== 'object' || value === null) return [];
    const fields = value as Readonly<Record<string, unknown>>;
    const { variant, ms } = fields;
    if ((variant !== 'light' && variant !== 'full') || typeof ms !== 'number' || !(ms > 0 && ms < 1e9)) return [];
    const [device, torch, what, mode] = ['device', 'torch', 'case', 'mode'].map((name) => words(fields[name]));
    return device && torch && what && mode ? [{ device, torch, variant, case: what, mode, ms }] : [];
  });
}

/** Without what would end a Markdown cell or begin something in it. */
const words = (value: unknown): string =>
  typeof value === 'string' ? plainText(value.replace(/[|[\]`*_\\]/g, ' '), LONGEST) : '';

/** PyTorch's fastest way to do the same, and how ours stands to it. */
export interface TorchRatio {
  readonly case: string;
  readonly ours: string;
  readonly theirs: TorchRow;
  /** Our time by theirs. */
  readonly ratio: number;
}

/**
 * Each case against PyTorch's best of eager and compiled in the same precision: float32 without tf32, or float16 by
 * autocast where ours stores float16 and PyTorch has it. CUDA's times are without reading back, as the engine's on the
 * device; a processor's are held against our own on a processor where it was timed.
 */
export function torchRatios({ cases, training, adapter }: DeviceReport, rows: readonly TorchRow[]): TorchRatio[] {
  const best = (among: readonly TorchRow[]): TorchRow | undefined => {
    const halves = adapter && adapter.precision !== 'f32' ? among.filter(({ mode }) => /float16/.test(mode)) : [];
    const alike = halves.length > 0 ? halves : among.filter(({ mode }) => /float32$/.test(mode));
    return alike.reduce<TorchRow | undefined>((least, row) => (least && least.ms <= row.ms ? least : row), undefined);
  };
  const ratios = cases.flatMap((one): TorchRatio[] => {
    const name = `${one.size}x${one.size}`;
    const theirs = best(rows.filter((row) => row.variant === one.variant && row.case === name));
    const ours = theirs && timingFor(one, theirs.device === 'cpu');
    return ours ? [{ case: `${one.variant} ${name}`, ours: ours.name, theirs, ratio: ours.median / theirs.ms }] : [];
  });
  const step = rows.find((row) => isStepOf(training, row));
  const ours = training?.cases.find(({ peer }) => !peer);
  if (!step || !ours) return ratios;
  return [...ratios, { case: step.case, ours: ours.name, theirs: step, ratio: ours.median / step.ms }];
}

function timingFor(report: CaseReport, onProcessor: boolean) {
  const own = report.timings.find(({ name, peer }) => !peer && /\bwasm\b/.test(name));
  return (onProcessor ? own : undefined) ?? mainTiming(report);
}

/** "train step, batch 4 at 128" is that of crops of 128 × 128, four at a time. */
function isStepOf(training: TrainingReport | null, row: TorchRow): boolean {
  const [, batch, crop] = /^train step, batch (\d+) at (\d+)$/.exec(row.case) ?? [];
  return training !== null && Number(batch) === training.batch && Number(crop) === training.crop;
}

/** All rows for a terminal, then ratios; a line each. */
export function torchText(report: DeviceReport, { rows, leftOut }: TorchReport): string[] {
  const lines = rows.map(({ variant, case: what, mode, ms }) =>
    `${`PyTorch ${mode}`.padEnd(36)} median ${digits(ms)} ms; ${variant} ${what}`);
  const [first] = rows;
  return [
    ...(first ? [`PyTorch ${first.torch} on ${first.device}`, ...lines] : []),
    ...torchRatios(report, rows).map(({ case: what, ours, theirs, ratio }) =>
      `${what}: ${ours} / PyTorch ${theirs.mode}: ${ratio.toFixed(3)}`),
    ...leftOut.map((why) => `PyTorch left out: ${why}`),
  ];
}

/** The same as a table. */
export function torchMarkdown(report: DeviceReport, { rows, leftOut }: TorchReport): string {
  const ratios = torchRatios(report, rows);
  const [first] = rows;
  const table = first ? [
    `| PyTorch ${first.torch} on ${first.device} | mode | time | ours relative to it |`,
    '|---|--:|--:|--:|',
    ...rows.map((row) => {
      const found = ratios.find(({ theirs }) => theirs === row);
      const relative = found ? `${found.ratio.toFixed(2)}×, ${found.ours}` : '–';
      return `| ${row.variant} ${row.case} | ${row.mode} | ${digits(row.ms)} ms | ${relative} |`;
    }),
  ] : [];
  const missing = leftOut.map((why) => `- PyTorch left out: ${words(why)}`);
  return [table.join('\n'), missing.join('\n')].filter(Boolean).join('\n\n');
}
