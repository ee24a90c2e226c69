import { STRENGTH } from '../image/degrade.ts';
import { modalityOption, parseVerb, required } from './arguments.ts';
import { checkedStrength, noiseOption, numberOption, seedOption } from './degrade.ts';
import { deviceOption, precisionOption } from './devices.ts';
import { UsageError } from './errors.ts';
import { evaluateFiles, type FileMethod } from './evaluateFiles.ts';
import { evaluateModels } from './evaluateModels.ts';
import { printEvaluated, type Evaluated } from './evaluateOutput.ts';
import { joinEvery, slicesOption } from './slicesOption.ts';

const OUTPUT = { csv: { type: 'string' }, markdown: { type: 'boolean' }, json: { type: 'boolean' } } as const;
const FILES = {
  reference: { type: 'string' },
  input: { type: 'string' },
  'input-row': { type: 'string' },
  modality: { type: 'string' },
} as const;
const MODELS = {
  weights: { type: 'string', multiple: true },
  data: { type: 'string', multiple: true },
  task: { type: 'string' },
  strength: { type: 'string' },
  seed: { type: 'string' },
  noise: { type: 'string' },
  slices: { type: 'string' },
  device: { type: 'string' },
  precision: { type: 'string' },
} as const;
const OPTIONS = { ...FILES, ...MODELS, ...OUTPUT, against: { type: 'string' } } as const;

type Parsed = ReturnType<typeof parse>;
const parse = (args: string[]) => parseVerb('evaluate', joinEvery(args), OPTIONS);

/**
 * PSNR, SSIM and RMSE as mean ± standard deviation over slices, in the form of the paper's tables.
 *
 * `evaluate --reference R --input I [--input-row LOW] [--against OTHER]` compares files, or folders by file name.
 * `evaluate --weights FILE… --data DIR --task T [--against FILE]` simulates inputs and restores them with each model.
 * `--against` adds a paired t-test and a Wilcoxon signed-rank test.
 */
export async function evaluate(args: string[]): Promise<number> {
  const parsed = parse(args);
  const { csv, markdown = false, json = false } = parsed.values;
  if (markdown && json) throw new UsageError('evaluate: --markdown and --json exclude each other');
  const evaluated = await (parsed.values.weights ? ofModels(parsed) : ofFiles(parsed));
  await printEvaluated(evaluated, { csv, markdown, json });
  return 0;
}

async function ofFiles({ values, positionals }: Parsed): Promise<Evaluated> {
  if (positionals.length > 0) {
    throw new UsageError(`evaluate: ${positionals[0]} stands alone; say --reference R --input I`);
  }
  refuseOthers(values, MODELS, 'is for --weights FILE --data DIR --task T');
  const reference = required('evaluate', 'reference', values.reference);
  const input = required('evaluate', 'input', values.input);
  const { against, 'input-row': low } = values;
  const methods: FileMethod[] = [
    ...(low ? [{ name: 'Input', path: low }] : []),
    { name: low || against ? 'Restored' : 'Input', path: input },
    ...(against ? [{ name: 'Other', path: against }] : []),
  ];
  const evaluated = await evaluateFiles(reference, methods, modalityOption(values.modality));
  if (!against) return evaluated;
  const last = methods.length - 1;
  return { ...evaluated, table: { ...evaluated.table, comparisons: [[last - 1, last]] } };
}

async function ofModels({ values, positionals }: Parsed): Promise<Evaluated> {
  refuseOthers(values, FILES, 'is for images; with --weights, name references by --data DIR --task T');
  const own = [...values.weights!, ...positionals];
  const task = modalityOption(required('evaluate', 'task', values.task), 'task')!;
  const strength = numberOption('evaluate', 'strength', values.strength) ?? STRENGTH[task].standard;
  checkedStrength('evaluate', task, strength);
  const simulation = {
    task,
    strength,
    seed: seedOption('evaluate', values.seed),
    noise: noiseOption('evaluate', task, values.noise),
    chosen: slicesOption('evaluate', values.slices),
  };
  const device = deviceOption(values.device);
  if (!values.data) throw new UsageError('evaluate: --data is missing: a file or folder of references');
  const weights = values.against ? [...own, values.against] : own;
  const evaluated = await evaluateModels(weights, values.data, simulation, device, precisionOption(values.precision));
  // Method 0 is the input, method i + 1 the i-th model.
  const comparisons = values.against ? own.map((_, i) => [i + 1, weights.length] as const) : [];
  return { ...evaluated, table: { ...evaluated.table, comparisons } };
}

function refuseOthers(values: Parsed['values'], others: object, advice: string): void {
  const given = Object.keys(others).find((name) => values[name as keyof typeof values] !== undefined);
  if (given) throw new UsageError(`evaluate: --${given} ${advice}`);
}
