import type { BenchCase } from '../engine/deviceReport.ts';
import { reportMarkdown } from '../engine/deviceReportMarkdown.ts';
import { measureDevice, reportOf, type Contender, type Subject } from '../engine/measureDevice.ts';
import { oneOf, parseVerb } from './arguments.ts';
import { comparisonText, compareReports, expectComparable, isSlower } from './benchCompare.ts';
import { openOnnx, tfjsContender, wasmContender, type OnnxModel } from './benchPeers.ts';
import { readReportFile } from './benchRead.ts';
import { reportText } from './benchText.ts';
import { expectScript, measureTorch, torchMarkdown, torchText } from './benchTorch.ts';
import { benchTraining, measureTraining, trainingOptions } from './benchTraining.ts';
import { deviceOption, openWebGpu, precisionOption, type WebGpuDevice } from './devices.ts';
import { RefusedError, UsageError } from './errors.ts';
import { machineName } from './timing.ts';
import { tunedVariants } from './tuning.ts';

/** Seconds that a case may take. */
const BUDGET = 300;
const MOST_BUDGET = 86_400;
/** Stock tfjs is timed at this size alone unless asked for: larger ones take minutes. */
const PEERS_SIZE = 128;
const MOST_CASES = 16;

/**
 * `bench [--variant light|full|both] [--size 128,256] [--peers] [--onnx FILE] [--kernels] [--budget SECONDS]
 * [--precision f32|f16] [--training] [--json | --markdown] [--compare OLD.json] [--device gpu|software|wasm]
 * [--tune | --no-tune] [--torch SCRIPT]`: images through the engine and, in the same run, through what else computes
 * them; held against the least time that the device's own rates allow. Seeded weights and images. `bench --training
 * [--batch N] [--crop N]` without sizes: one step of training alone.
 *
 * @returns 1 where something got slower than in the report to compare with, else 0
 */
export async function bench(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('bench', args, {
    json: { type: 'boolean' }, markdown: { type: 'boolean' }, kernels: { type: 'boolean' }, peers: { type: 'boolean' },
    size: { type: 'string' }, variant: { type: 'string' }, device: { type: 'string' }, compare: { type: 'string' },
    precision: { type: 'string' },
    onnx: { type: 'string', multiple: true }, budget: { type: 'string' },
    training: { type: 'boolean' }, batch: { type: 'string' }, crop: { type: 'string' },
    tune: { type: 'boolean' }, 'no-tune': { type: 'boolean' }, torch: { type: 'string' },
  });
  if (positionals.length > 0) throw new UsageError(`bench: "${positionals[0]}" is no option; --help lists them`);
  if (values.json && values.markdown) throw new UsageError('bench: choose --json or --markdown');
  if (values.tune && values['no-tune']) throw new UsageError('bench: choose --tune or --no-tune');
  // What PyTorch is held against are images, too.
  if (values.training && values.size === undefined && values.variant === undefined && values.torch === undefined) {
    if (values.compare) throw new UsageError('bench: --compare needs images; give --size, too');
    return benchTraining(values);
  }
  const sizes = sizesOption(values.size);
  const variant = oneOf('variant', values.variant, ['light', 'full', 'both'] as const) ?? 'light';
  const variants = variant === 'both' ? (['light', 'full'] as const) : [variant];
  const cases = variants.flatMap((name) => sizes.map((size): BenchCase => ({ variant: name, size })));
  if (cases.length > MOST_CASES) {
    throw new UsageError(`bench: ${cases.length} cases are too many; ${MOST_CASES} can be measured at once`);
  }
  const budget = 1000 * budgetOption(values.budget);
  const choice = deviceOption(values.device);
  if (choice === 'cpu') throw new UsageError('bench: --device can be gpu, software or wasm');
  const precision = precisionOption(values.precision) ?? 'f32';
  if (values.onnx && variant === 'both') {
    throw new UsageError('bench: --onnx is a model of one variant; choose --variant light or full');
  }
  const training = values.training ? trainingOptions(values) : null;
  // Refused before minutes are spent.
  const old = values.compare === undefined ? null : await readReportFile(values.compare);
  const models = await Promise.all((values.onnx ?? []).map((path) => openOnnx(path)));
  if (values.torch !== undefined) await expectScript(values.torch);

  const found = choice === 'wasm' ? null : await openWebGpu(choice);
  const half = precision === 'f16';
  if (old) {
    const adapter = found && { ...found.description, precision };
    expectComparable(old, { machine: machineName(), adapter, cases });
  }
  const tiles = found && !values['no-tune'] ? await tunedVariants(found, { tune: values.tune }) : undefined;
  const measured = await measureDevice(found, {
    cases,
    budget,
    variants: tiles,
    // Timed whole, whatever it takes: tiles would be another computation.
    memory: Infinity,
    half,
    kernels: Boolean(values.kernels || values.json || values.markdown || old),
    readBack: true,
    contenders: (subject) => contendersFor(subject, found, values.peers ?? false, models),
    progress: (done) => sayCase(cases, done),
  });
  const report = reportOf(machineName(), measured, training && (await measureTraining(training)));
  const torch = values.torch === undefined
    ? null
    : await measureTorch(values.torch, { cases, training: training !== null, budget });
  if (report.cases.length === 0 && !report.training) throw new RefusedError(`bench: ${report.leftOut[0]!.why}`);
  const changes = old && compareReports(old, report);
  if (values.json) console.log(JSON.stringify(torch ? { ...report, torch } : report));
  else if (values.markdown) console.log(reportMarkdown(report).trimEnd());
  else console.log(reportText(report));
  if (torch && values.markdown) console.log(`\n${torchMarkdown(report, torch)}`);
  else if (torch && !values.json) console.log(`\n${torchText(report, torch).join('\n')}`);
  // Under --json stdout holds the report alone.
  if (changes) (values.json ? console.error : console.log)(comparisonText(changes));
  return changes && isSlower(changes) ? 1 : 0;
}

function sizesOption(value = '128'): number[] {
  const sizes = value.split(',').map((part) => (/^ *\d{1,4} *$/.test(part) ? Number(part) : NaN));
  if (sizes.some((size) => !(size >= 8 && size % 8 === 0 && size <= 4096))) {
    throw new UsageError(`bench: --size is "${value}"; it can be multiples of 8 up to 4096 with commas between them`);
  }
  return [...new Set(sizes)].sort((a, b) => a - b);
}

function budgetOption(value: string | undefined): number {
  if (value === undefined) return BUDGET;
  const seconds = Number(value);
  if (value.trim() !== '' && seconds > 0 && seconds <= MOST_BUDGET) return seconds;
  throw new UsageError(`bench: --budget is "${value}"; it can be seconds up to ${MOST_BUDGET}`);
}

async function contendersFor(
  subject: Subject, found: WebGpuDevice | null, peers: boolean, models: readonly OnnxModel[],
): Promise<Contender[]> {
  const contenders: Contender[] = [];
  const wasm = await wasmContender(subject);
  if (wasm) contenders.push(wasm);
  if (peers || subject.size === PEERS_SIZE) {
    if (found) contenders.push(await tfjsContender(subject, found));
    contenders.push(await tfjsContender(subject, null));
  }
  for (const model of models) {
    if (model.size === null || model.size === subject.size) contenders.push(await model.contender(subject));
  }
  return contenders;
}

/** On a terminal only: what is being measured. */
function sayCase(cases: readonly BenchCase[], done: number): void {
  const one = cases[done]; // there when one begins, not for parts
  if (one && process.stderr.isTTY && cases.length > 1) {
    process.stderr.write(`measuring ${one.variant} ${one.size}×${one.size}, ${done + 1} of ${cases.length}\n`);
  }
}
