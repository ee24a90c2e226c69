import type { Modality } from '../formats/volume.ts';
import { checkNoise, checkStrength, STRENGTH } from '../image/degrade.ts';
import { checkOptions } from '../training/options.ts';
import { DEFAULT_OPTIONS, type TrainingOptions } from '../training/training.ts';
import { oneOf, parseVerb, required } from './arguments.ts';
import { deviceOption, type DeviceChoice } from './devices.ts';
import { sentence, UsageError } from './errors.ts';

export const MODALITIES = ['ct', 'pet', 'mri'] as const satisfies readonly Modality[];

/** What inputs are made of and how often each task is seen; kept in checkpoints, as a run cannot change it. */
export interface Lesson {
  /** Each task that is learnt, with its share of the crops. */
  readonly shares: { readonly [M in Modality]?: number };
  /** One or several by task, see `Simulation`; null: real pairs. */
  readonly strength: { readonly [M in Modality]?: number | readonly number[] } | null;
  /** MRI only: see `DegradeOptions`. */
  readonly noise: number;
  readonly gain: { readonly [M in Modality]?: readonly [number, number] };
}

export interface Run {
  readonly options: TrainingOptions;
  readonly lesson: Lesson;
}

export interface TrainArguments {
  readonly data: string;
  readonly references: readonly string[];
  readonly validation: string | null;
  readonly validationSlices: number;
  readonly out: string;
  readonly name: string | null;
  readonly weights: string | null;
  readonly variant: 'light' | 'full' | 'tiny';
  readonly resume: string | null;
  readonly checkpointEvery: number;
  /** null: a tenth of the steps, at least 50. */
  readonly validateEvery: number | null;
  readonly device: DeviceChoice | undefined;
  readonly json: boolean;
  /**
   * What is said of the run itself, the rest from the run that is resumed or from the defaults.
   * @throws UsageError for what cannot be, or is not as the run began
   */
  run(resumed: Run | null): Run;
}

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  data: TEXT, task: TEXT, steps: TEXT, out: TEXT, name: TEXT, weights: TEXT, variant: TEXT, resume: TEXT,
  reference: { type: 'string', multiple: true }, validation: TEXT, 'validation-slices': TEXT,
  batch: TEXT, crop: TEXT, rate: TEXT, 'last-rate': TEXT, clip: TEXT, parts: TEXT, seed: TEXT,
  strength: TEXT, noise: TEXT, gain: TEXT, shares: TEXT, recompute: { type: 'boolean' },
  'checkpoint-every': TEXT, 'validate-every': TEXT, device: TEXT, json: { type: 'boolean' },
} as const;

/** The range of brightness that the starter's MRI was trained on, 0.25 … 0.95, over its normalisation's 0.6. */
const MRI_GAIN = [0.25 / 0.6, 0.95 / 0.6] as const;

export function parseTrain(args: string[]): TrainArguments {
  const { values, positionals } = parseVerb('train', args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`train: ${positionals[0]} stands alone; say --data DIR`);
  const number = (option: keyof typeof OPTIONS, text = values[option]): number | undefined => {
    if (typeof text !== 'string') return undefined;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`train: --${option} is "${text}", not a number`);
    return value;
  };
  const count = (option: keyof typeof OPTIONS): number | undefined => {
    const value = number(option);
    if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= 1e8)) return value;
    throw new UsageError(`train: --${option} is "${String(values[option])}"; it must be a whole number`);
  };
  const task = oneOf('task', values.task, [...MODALITIES, 'all'] as const);
  if (!task && !values.resume) throw new UsageError('train: --task is missing');
  if (!values.steps && !values.resume) throw new UsageError('train: --steps is missing');
  if (values.weights && values.variant) throw new UsageError('train: --weights has a variant already; leave --variant out');
  if (values.reference && values.strength) throw new UsageError('train: --strength is for simulated inputs, --reference for real ones');
  if (values.reference && values.validation) {
    throw new UsageError('train: --validation takes references alone; with --reference, slices are held out of the pairs');
  }

  const optionsOf = (base: TrainingOptions): TrainingOptions => ({
    steps: number('steps') ?? base.steps,
    batch: number('batch') ?? base.batch,
    crop: number('crop') ?? base.crop,
    rate: number('rate') ?? base.rate,
    lastRate: number('last-rate') ?? base.lastRate,
    seed: number('seed') ?? base.seed,
    clip: values.clip === 'none' ? null : number('clip') ?? base.clip,
    parts: oneOf('parts', values.parts, ['all', 'decoder'] as const) ?? base.parts,
    ...(values.recompute ?? base.recompute) === undefined ? {} : { recompute: values.recompute ?? base.recompute },
  });
  const lessonOf = (base: Lesson | null): Lesson => {
    const begunTasks = MODALITIES.filter((modality) => base?.shares[modality]);
    const tasks = task === 'all' ? MODALITIES : task ? [task] : begunTasks;
    const forEach = <V>(value: (modality: Modality) => V): { [M in Modality]?: V } =>
      Object.fromEntries(tasks.map((modality) => [modality, value(modality)]));
    const shares = byTask('shares', values.shares, tasks, positive, 'N');
    const strength = byTask('strength', values.strength, tasks, oneOrSeveral, 'N or N/N/N');
    const gain = gainOption(values.gain);
    const gained: readonly Modality[] = task === 'all' ? ['mri'] : tasks;
    return {
      shares: !shares && base && tasks.join() === begunTasks.join() ? base.shares
        : forEach((modality) => shares?.[modality] ?? 1),
      strength: values.reference ? null
        : !strength && base?.strength ? base.strength
        : forEach((modality) => strength?.[modality] ?? STRENGTH[modality].standard),
      noise: number('noise') ?? base?.noise ?? 0,
      gain: gain === undefined ? base?.gain ?? (tasks.includes('mri') ? { mri: MRI_GAIN } : {})
        : gain === null ? {}
        : Object.fromEntries(gained.map((modality) => [modality, gain])),
    };
  };

  return {
    data: required('train', 'data', values.data),
    references: values.reference ?? [],
    validation: values.validation ?? null,
    validationSlices: count('validation-slices') ?? 8,
    out: required('train', 'out', values.out),
    name: values.name ?? null,
    weights: values.weights ?? null,
    variant: oneOf('variant', values.variant, ['light', 'full', 'tiny'] as const) ?? 'light',
    resume: values.resume ?? null,
    checkpointEvery: count('checkpoint-every') ?? 100,
    validateEvery: count('validate-every') ?? null,
    device: deviceOption(values.device),
    json: values.json ?? false,
    run(resumed) {
      const options = optionsOf(resumed?.options ?? DEFAULT_OPTIONS);
      const lesson = lessonOf(resumed?.lesson ?? null);
      check(options, lesson);
      if (resumed) {
        refuseChanges(options, resumed.options);
        refuseChanges(lesson, resumed.lesson);
      }
      return { options, lesson };
    },
  };
}

function check(options: TrainingOptions, { strength, noise }: Lesson): void {
  try {
    checkOptions(options);
    for (const modality of MODALITIES) {
      for (const value of [strength?.[modality] ?? []].flat()) checkStrength(modality, value);
    }
    checkNoise(noise);
  } catch (error) {
    throw new UsageError(sentence(error));
  }
}

/** A run goes on as it began: its schedule and its crops depend on all of this. */
function refuseChanges<Kind extends object>(wanted: Kind, begun: Kind): void {
  for (const key of Object.keys(begun) as (keyof Kind & string)[]) {
    const [now, then] = [wanted[key], begun[key]].map((value) => JSON.stringify(value));
    if (now === then) continue;
    throw new UsageError(`train: ${key} is ${now}, but the run that is resumed has ${then}; leave it out or begin a new run`);
  }
}

const positive = (digits: string): number | null =>
  digits.trim() !== '' && Number(digits) > 0 && Number(digits) < 1e9 ? Number(digits) : null;

/** `0.25`, or `0.05/0.1/0.25`. */
function oneOrSeveral(text: string): number | readonly number[] | null {
  const numbers = text.split('/').map(positive).filter((number) => number !== null);
  if (numbers.length < text.split('/').length) return null;
  return numbers.length === 1 ? numbers[0]! : numbers;
}

/** `ct=1,pet=2`, or one value for all tasks. */
function byTask<Value>(
  option: string, text: string | undefined, tasks: readonly Modality[], read: (text: string) => Value | null, form: string,
): { readonly [M in Modality]?: Value } | undefined {
  if (text === undefined) return undefined;
  const all = read(text);
  if (all !== null) return Object.fromEntries(tasks.map((task) => [task, all]));
  const entries = text.split(',').map((part) => {
    const [name, value, ...rest] = part.split('=');
    const modality = tasks.find((task) => task === name.trim().toLowerCase());
    const found = value === undefined ? null : read(value);
    if (modality && found !== null && rest.length === 0) return [modality, found] as const;
    throw new UsageError(`train: --${option} is "${text}"; say ${tasks.map((task) => `${task}=${form}`).join(', ')} with N above 0`);
  });
  return Object.fromEntries(entries);
}

/** `LO,HI`, or `none`; undefined where it was not given. */
function gainOption(text: string | undefined): readonly [number, number] | null | undefined {
  if (text === undefined) return undefined;
  if (text === 'none') return null;
  const [low, high, ...rest] = text.split(',').map(Number);
  if (rest.length === 0 && low! > 0 && low! <= high! && high! < 100) return [low!, high!];
  throw new UsageError(`train: --gain is "${text}"; say two rising numbers such as 0.5,1.5, or none`);
}
