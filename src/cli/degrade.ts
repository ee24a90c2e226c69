import { degradationSentence, degrade as degradeSlice, STRENGTH } from '../image/degrade.ts';
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
  series: { type: 'string' },
} as const;

/** `degrade INPUT --out PATH --task ct|pet|mri [--strength N] [--seed N]`: every slice as the task's input. */
export async function degrade(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('degrade', args, OPTIONS);
  if (positionals.length === 0) throw new UsageError('degrade: name an image, or a folder of DICOM slices');
  const out = required('degrade', 'out', values.out);
  const task = modalityOption(required('degrade', 'task', values.task), 'task')!;
  const { minimum, maximum, standard, values: steps } = STRENGTH[task];
  const strength = numberOption('strength', values.strength) ?? standard;
  if (steps ? !steps.includes(strength) : strength < minimum || strength > maximum) {
    const allowed = steps ? steps.join(' or ') : `from ${minimum} to ${maximum}`;
    throw new UsageError(`degrade: --strength ${strength} is not simulated for ${task}; it can be ${allowed}`);
  }
  const seed = numberOption('seed', values.seed) ?? 0;
  if (!Number.isSafeInteger(seed) || seed < 0) throw new UsageError(`degrade: --seed ${values.seed} must be a whole number`);
  const output = await outputAt('degrade', out, positionals, { type: 'source', dicom: false });

  const read = await readVolume(positionals, seriesOption(values.series));
  output.check(read);
  const volume = task === 'pet' ? toSuv(read) : read;
  process.stderr.write(`note: ${degradationSentence(task, strength)}\n`);
  const data = new Float32Array(volume.data.length);
  for (let index = 0; index < volume.slices; index++) {
    const options = { strength, seed: seed + index, pixelSpacing: volume.spacing?.x };
    data.set(degradeSlice(sliceOf(volume, index), task, options).data, index * volume.rows * volume.columns);
  }
  await output.write(fromSuv({ ...volume, data }));
  return 0;
}

function numberOption(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`degrade: --${option} is "${text}", not a number`);
  return value;
}
