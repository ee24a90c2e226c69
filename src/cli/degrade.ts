import type { Modality } from '../formats/volume.ts';
import { checkNoise, degradationSentence, degrade as degradeSlice, optionsFor, STRENGTH } from '../image/degrade.ts';
import { sliceOf } from '../image/slice.ts';
import { fromSuv, toSuv } from '../image/suv.ts';
import { modalityOption, parseVerb, required, seriesOption } from './arguments.ts';
import { UsageError } from './errors.ts';
import { readVolume } from './files.ts';
import { outputAt } from './output.ts';

const OPTIONS = {
  out: { type: 'string' },
  task: { type: 'string' },
  strength: { type: 'string' },
  seed: { type: 'string' },
  noise: { type: 'string' },
  series: { type: 'string' },
} as const;

/** `degrade INPUT --out PATH --task ct|pet|mri [--strength N] [--seed N] [--noise N]`: every slice as the task's input. */
export async function degrade(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('degrade', args, OPTIONS);
  if (positionals.length === 0) throw new UsageError('degrade: name an image, or a folder of DICOM slices');
  const out = required('degrade', 'out', values.out);
  const task = modalityOption(required('degrade', 'task', values.task), 'task')!;
  const strength = numberOption('degrade', 'strength', values.strength) ?? STRENGTH[task].standard;
  checkedStrength('degrade', task, strength);
  const seed = seedOption('degrade', values.seed);
  const noise = noiseOption('degrade', task, values.noise);
  const output = await outputAt('degrade', out, positionals, { type: 'source', dicom: false });

  const read = await readVolume(positionals, seriesOption(values.series));
  output.check(read);
  const volume = task === 'pet' ? toSuv(read) : read;
  process.stderr.write(`note: ${degradationSentence(task, strength, noise)}\n`);
  const options = optionsFor(volume, noise);
  const data = new Float32Array(volume.data.length);
  for (let index = 0; index < volume.slices; index++) {
    const made = degradeSlice(sliceOf(volume, index), task, { ...options, strength, seed: seed + index });
    data.set(made.data, index * volume.rows * volume.columns);
  }
  await output.write(fromSuv({ ...volume, data }));
  return 0;
}

export function checkedStrength(verb: string, task: Modality, strength: number): void {
  const { minimum, maximum, values: steps } = STRENGTH[task];
  if (steps ? steps.includes(strength) : strength >= minimum && strength <= maximum) return;
  const allowed = steps ? steps.join(' or ') : `from ${minimum} to ${maximum}`;
  throw new UsageError(`${verb}: --strength ${strength} is not simulated for ${task}; it can be ${allowed}`);
}

/** `--seed N`, 0 where it is not given. */
export function seedOption(verb: string, text: string | undefined): number {
  const seed = numberOption(verb, 'seed', text) ?? 0;
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new UsageError(`${verb}: --seed ${text} must be a whole number`);
}

/** `--noise N`, a share of the brightest signal; 0 where it is not given. */
export function noiseOption(verb: string, task: Modality, text: string | undefined): number {
  const noise = numberOption(verb, 'noise', text) ?? 0;
  if (text !== undefined && task !== 'mri') {
    throw new UsageError(`${verb}: --noise is for --task mri; the noise of ${task} follows from --strength`);
  }
  try {
    checkNoise(noise);
  } catch {
    throw new UsageError(`${verb}: --noise ${text} is not a share of the brightest signal; it can be from 0 to 1`);
  }
  return noise;
}

export function numberOption(verb: string, option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${verb}: --${option} is "${text}", not a number`);
  return value;
}
