import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { autotune, CANDIDATES, readTuning, tuningKey, variantsWith, type Trial, type Tuning } from '../engine/autotune.ts';
import type { RequestedDevice } from '../engine/device.ts';
import { DeviceError } from '../engine/errors.ts';
import { plainText } from '../formats/guard.ts';
import type { Variants } from '../kernels/variants.ts';
import { sentence } from './errors.ts';
import { note } from './terminal.ts';

export interface TuningOptions {
  /** Tunes anew, software devices too, and says what was tried. */
  readonly tune?: boolean;
  /** Where tunings are remembered. */
  readonly path?: string;
  readonly autotune?: typeof autotune;
}

const KIND = 'restore-rwkv tuning';
const SCHEMA = 1;
/** A file has some kilobytes at most. */
const MOST_BYTES = 2 ** 18;
/** Adapters, and versions of kernels, that are remembered; the one longest there goes first. */
const MOST_ADAPTERS = 16;
/** Milliseconds for everything to be tried, when that is asked for. */
const PATIENCE = 20_000;

/** By `tuningKey`: a process tunes a device once, even where nothing can be remembered. */
const tuned = new Map<string, Tuning>();

/** `$XDG_CACHE_HOME/restore-rwkv/tuning.json`; in `~/.cache` where that is not set, or relative. */
export function tuningPath(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(named) ? named : join(homedir(), '.cache'), 'restore-rwkv', 'tuning.json');
}

/**
 * Tile shapes for a device as its tuning has them: the remembered one, else a GPU is tuned now, which is said on stderr.
 * Whatever happens to the file, and where tuning fails, work goes on.
 *
 * @returns undefined: the default
 */
export async function tunedVariants(
  { device, description: { software, name } }: Pick<RequestedDevice, 'device' | 'description'>, options: TuningOptions = {},
): Promise<Variants | undefined> {
  const { tune = false, path = tuningPath(), autotune: search = autotune } = options;
  if (software && !tune) return undefined;
  const key = tuningKey(device);
  const all = await readTunings(path);
  const known = tune ? undefined : tuned.get(key) ?? all.get(key);
  if (known) return variantsWith(device, known);
  process.stderr.write(`device: tuning kernels for ${plainText(name, 100)}${tune ? '' : ', once: about two seconds'}\n`);
  const trials: Trial[] = [];
  let tuning: Tuning;
  try {
    const more = { force: true, budget: PATIENCE, tried: (trial: Trial) => trials.push(trial) };
    tuning = await search(device, tune ? more : {});
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    note(`kernels could not be tuned, the default is used: ${error.message}`);
    return undefined;
  }
  if (tune) process.stderr.write(tuningText(tuning, trials).map((line) => `${line}\n`).join(''));
  tuned.set(key, tuning);
  // A software device goes on without, unless it is asked for.
  if (!software) await remember(path, all, key, tuning);
  return variantsWith(device, tuning);
}

/** What was chosen, and what it was held against. */
export function tuningText({ choices, gain, complete }: Tuning, trials: readonly Trial[]): string[] {
  const times = (of: number) => `${of.toFixed(2)} times as fast`;
  const chosen = choices.map((choice) => `  ${choice.family}: ${choice.name}, ${times(choice.gain)} as the default`);
  return [
    ...trials.map(({ candidate: { family, name }, gain, verdict }) =>
      `  tried ${family}: ${name}; ${verdict}${gain === null ? '' : `, ${times(gain)} as the best before it`}`),
    ...(complete ? [] : [`  time was up after ${trials.length} of ${CANDIDATES.length}`]),
    ...(chosen.length > 0 ? [`chosen, a whole image is ${times(gain)}:`, ...chosen] : ['the default is kept']),
  ];
}

/** What a file remembers, by `tuningKey`; nothing where it cannot be read, and without what is no tuning. */
async function readTunings(path: string): Promise<Map<string, Tuning>> {
  const all = new Map<string, Tuning>();
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > MOST_BYTES) return all;
    const file = JSON.parse(await readFile(path, 'utf8')) as { kind?: unknown; schema?: unknown; adapters?: unknown } | null;
    if (file?.kind !== KIND || file.schema !== SCHEMA || !Array.isArray(file.adapters)) return all;
    for (const entry of (file.adapters as unknown[]).slice(0, MOST_ADAPTERS)) {
      if (!Array.isArray(entry)) continue;
      const [key, value] = entry as unknown[];
      const tuning = readTuning(value);
      if (typeof key === 'string' && tuning) all.set(key, tuning);
    }
  } catch {
    // As if it were not there.
  }
  return all;
}

/** Written beside and renamed: a reader finds the old file or the new one. */
async function remember(path: string, all: Map<string, Tuning>, key: string, tuning: Tuning): Promise<void> {
  all.delete(key);
  all.set(key, tuning);
  const adapters = [...all].slice(-MOST_ADAPTERS);
  const aside = `${path}.${process.pid}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(aside, `${JSON.stringify({ kind: KIND, schema: SCHEMA, adapters })}\n`);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    note(`the tuning is not remembered, ${sentence(error)}`);
  }
}
