import type { Config } from '../model/config.ts';
import { WeightsError } from '../weights/errors.ts';
import { inferConfig } from '../weights/inferConfig.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import { readStateDict } from '../weights/stateDict.ts';
import { CheckpointTensor, type StateDict, type StoredTensor } from '../weights/tensor.ts';
import { isTrained } from './flatParameters.ts';
import { checkOptions } from './options.ts';
import { TrainingError, type TrainingData, type TrainingOptions } from './training.ts';

/** `__metadata__.format` of the file; another layout gets another name. */
const FORMAT = 'restore-rwkv training checkpoint 1';
const FIRST = 'adam.first.';
const SECOND = 'adam.second.';
/** Keys that the run's own metadata cannot have. */
const OWN_KEYS = ['format', 'step', 'options', 'config', 'data'];

/** A run as it stands after a step. */
export interface Checkpoint {
  /** Parameters under the public names, in PyTorch's shapes. */
  readonly stateDict: Readonly<StateDict>;
  readonly config: Config;
  readonly options: TrainingOptions;
  /** Steps done. */
  readonly step: number;
  /** Adam's running means for the parameters that are trained, named and shaped as these; null before the first step. */
  readonly moments: { readonly first: StateDict; readonly second: StateDict } | null;
  /** Of the images that are learnt from, by `digestOf`. */
  readonly digest: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * A checkpoint as safetensors: the parameters as any weights file has them (so it loads as one, too), `adam.first.NAME`
 * and `adam.second.NAME` beside them, and in `__metadata__` format, step, options, config and data (the digest).
 */
export function writeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { stateDict, config, options, step, moments, digest, metadata } = checkpoint;
  const tensors = new Map<string, StoredTensor>();
  const put = (prefix: string, named: Readonly<StateDict> = new Map()) => {
    for (const [name, { shape, data }] of named) tensors.set(prefix + name, { shape, data: Float32Array.from(data) });
  };
  put('', stateDict);
  put(FIRST, moments?.first);
  put(SECOND, moments?.second);
  return writeSafetensors(tensors, {
    ...metadata,
    format: FORMAT,
    step: String(step),
    options: JSON.stringify(options),
    config: JSON.stringify(config),
    data: digest,
  });
}

/**
 * Reads a checkpoint of whatever origin. The configuration is that of the tensors' shapes.
 *
 * @throws TrainingError where it is no checkpoint of a training run or contradicts itself, WeightsError where the file
 *   or its parameters are damaged
 */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata['format'] !== FORMAT) {
    throw new TrainingError(
      'training: this file is no checkpoint of a training run; begin a new run with it if it holds weights',
    );
  }
  const group = (prefix: string) => new Map(
    [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
  const own = new Map([...tensors].filter(([name]) => !name.startsWith(FIRST) && !name.startsWith(SECOND)));
  const config = inferConfig(new Map([...own].map(([name, { shape }]) => [name, shape])));
  const checked = (named: ReadonlyMap<string, StoredTensor>) => readStateDict(
    new Map([...named].map(([name, { shape, data }]) => [name, new CheckpointTensor(shape, data.byteLength, () => data)])),
    config, Infinity,
  ).stateDict;
  const stateDict = checked(own);
  const options = readOptions(metadata['options']);
  const step = Number(metadata['step']);
  if (!/^\d{1,9}$/.test(metadata['step'] ?? '') || step > options.steps) {
    throw damaged('step', metadata['step'], `a whole number up to ${options.steps}`);
  }
  const momentsOf = (prefix: string) => {
    const found = group(prefix);
    const names = [...stateDict.keys()].filter((name) => isTrained(name, options.parts));
    // Frozen parameters have none; for the check of shapes and values their own numbers stand in.
    const filled = checked(new Map([...stateDict, ...names.map((name): [string, StoredTensor] => {
      const tensor = found.get(name);
      if (tensor) return [name, tensor];
      throw new WeightsError(`checkpoint: ${prefix}${name} is missing; the file is damaged, take an earlier one`);
    })]));
    return new Map(names.map((name) => [name, filled.get(name)!]));
  };
  const moments = step === 0 ? null : { first: momentsOf(FIRST), second: momentsOf(SECOND) };
  for (const [name, { data }] of moments?.second ?? []) {
    if (data.some((value) => value < 0)) {
      throw new WeightsError(`checkpoint: ${SECOND}${name} holds negative numbers; the file is damaged, take an earlier one`);
    }
  }
  const rest = Object.fromEntries(Object.entries(metadata).filter(([key]) => !OWN_KEYS.includes(key)));
  return { stateDict, config, options, step, moments, digest: metadata['data'] ?? '', metadata: rest };
}

/** Stands for the images that a run learns from: names, sizes, weights, gains and every pixel of the references. */
export function digestOf({ training }: TrainingData): string {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  const take = (word: number) => {
    low = Math.imul(low ^ word, 0x01000193);
    high = Math.imul(high ^ word ^ (high >>> 15), 0x85ebca6b);
  };
  const text = new TextEncoder();
  for (const { name, height, width, weight, realisations, gain, reference } of training) {
    text.encode(JSON.stringify([name, height, width, weight, realisations, gain])).forEach(take);
    new Uint32Array(reference.buffer, reference.byteOffset, reference.length).forEach(take);
  }
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

function readOptions(text: string | undefined): TrainingOptions {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    throw damaged('options', text, 'a JSON object');
  }
  if (typeof json !== 'object' || json === null) throw damaged('options', text, 'a JSON object');
  const fields = json as Record<keyof TrainingOptions, never>;
  const { steps, batch, crop, rate, lastRate, seed, clip, parts, recompute = false } = fields;
  const options: TrainingOptions = { steps, batch, crop, rate, lastRate, seed, clip, parts, recompute };
  if (![steps, batch, crop, rate, lastRate, seed, clip ?? 0].every(Number.isFinite)) {
    throw damaged('options', text, 'finite numbers');
  }
  checkOptions(options);
  return options;
}

function damaged(field: string, found: string | undefined, expected: string): TrainingError {
  const shown = (found ?? 'missing').replace(/[^\x20-\x7e]/g, '?').slice(0, 60);
  return new TrainingError(`checkpoint: ${field} is ${shown}, expected ${expected}; take an earlier checkpoint`);
}
