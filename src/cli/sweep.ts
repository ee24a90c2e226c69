import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { evaluationRange, type Range } from '../analysis/metrics.ts';
import { sweep as sweepSlices, sweepCsv, SWEEP_STRENGTHS, type SweepModel, type SweepPoint } from '../analysis/sweep.ts';
import type { Modality, Volume } from '../formats/volume.ts';
import { checkStrength, optionsFor, STRENGTH } from '../image/degrade.ts';
import { isPicture, normalisationFor, type Normalisation } from '../image/normalise.ts';
import { sliceOf } from '../image/slice.ts';
import { toSuv } from '../image/suv.ts';
import { modalityOption, parseVerb, required, seriesOption } from './arguments.ts';
import { noiseOption, seedOption } from './degrade.ts';
import { deviceOption, openRestorer, type DeviceChoice, type Restorer } from './devices.ts';
import { RefusedError, UsageError } from './errors.ts';
import { readVolume, writeOutput } from './files.ts';
import { loadModel, SHIPPED_WEIGHTS, type LoadedModel } from './loadedModel.ts';
import { restoreSlice } from './restoreSlice.ts';
import { joinEvery, slicesOption } from './slicesOption.ts';
import { note, progress } from './terminal.ts';

const OPTIONS = {
  task: { type: 'string' },
  weights: { type: 'string', multiple: true },
  strengths: { type: 'string' },
  slices: { type: 'string' },
  seed: { type: 'string' },
  noise: { type: 'string' },
  csv: { type: 'string' },
  json: { type: 'boolean' },
  device: { type: 'string' },
  series: { type: 'string' },
} as const;

/**
 * `sweep REFERENCE --task T [--weights FILE]… [--strengths A,B,C] [--slices A-B]`: PSNR, SSIM and RMSE of the simulated
 * input and of what each model makes of it, over strengths of the degradation.
 */
export async function sweep(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('sweep', joinEvery(args), OPTIONS);
  if (positionals.length === 0) throw new UsageError('sweep: name a reference, or a folder of DICOM slices');
  const task = modalityOption(required('sweep', 'task', values.task), 'task')!;
  const strengths = strengthsOption(task, values.strengths);
  const chosen = slicesOption('sweep', values.slices);
  const seed = seedOption('sweep', values.seed);
  const noise = noiseOption('sweep', task, values.noise);
  const choice = deviceOption(values.device);
  if (values.csv) await checkCsv(values.csv, [...positionals, ...(values.weights ?? [])]);

  const read = await readVolume(positionals, seriesOption(values.series));
  const volume = task === 'pet' ? toSuv(read) : read;
  const indices = chosen(volume.slices);
  if (indices.length === 0) {
    throw new RefusedError(`sweep: --slices ${values.slices} names none of the ${volume.slices} slices; choose 1 to ${volume.slices}`);
  }
  note(...volume.notices);
  const loaded: LoadedModel[] = [];
  for (const path of values.weights ?? [SHIPPED_WEIGHTS]) loaded.push(await loadModel(path));
  const models = await openModels(task, volume, loaded, choice);

  const points: SweepPoint[] = [];
  const started = performance.now();
  const table = tableOf(task, volume);
  if (!values.json) console.log(table.heading);
  for await (const point of sweepSlices({
    ...optionsFor(volume, noise),
    task,
    strengths,
    seed,
    slices: indices.map((index) => sliceOf(volume, index)),
    places: indices,
    models,
    range: rangeOf(task, volume, models[0]!.normalisation),
    progress: (done, total) => progress('image', done, total, performance.now() - started),
  })) {
    points.push(point);
    console.log(values.json ? JSON.stringify(point) : table.line(point));
  }
  for (const { restorer } of models) restorer.dispose();
  const left = indices.length - points[0]!.slices;
  if (left > 0) note(`${left} slices have one value only and are left out`);
  if (values.csv) await writeOutput(values.csv, sweepCsv(points));
  return 0;
}

interface OpenModel extends SweepModel {
  readonly normalisation: Normalisation;
  readonly restorer: Restorer;
}

/** Each model on a device of its own, with its normalisation of the reference. */
async function openModels(
  task: Modality, volume: Volume, loaded: readonly LoadedModel[], choice: DeviceChoice | undefined,
): Promise<OpenModel[]> {
  const models: OpenModel[] = [];
  for (const { weights, name, version, normalisation: rules, notices } of loaded) {
    const normalisation = normalisationFor(task, volume, rules[task] ?? null);
    note(...notices, normalisation.sentence, ...(normalisation.notice ? [normalisation.notice] : []));
    const restorer = await openRestorer(weights, choice);
    const alone = loaded.filter((other) => other.name === name).length === 1;
    models.push({
      name: alone ? name : `${name} ${version}`,
      normalisation,
      restorer,
      restore: async (input) => (await restoreSlice(input, normalisation, restorer, `a slice by ${name}`)).restored,
    });
  }
  return models;
}

/** One range for all, so that figures can be compared: that of the first model's normalisation. */
function rangeOf(task: Modality, volume: Volume, normalisation: Normalisation): Range {
  const known = task !== 'pet' || volume.units !== 'Bq/mL' || normalisation.rule !== 'range';
  if (known) return evaluationRange(isPicture(volume) ? null : task, normalisation);
  // 20 SUV is not known in Bq/mL without dose and weight, nor by the data: then nothing is cut above.
  const max = volume.data.reduce((most, value) => (value < Infinity && value > most ? value : most), 0) || 1;
  note('PET in Bq/mL: values above 20 SUV cannot be told and are not clamped');
  return { min: 0, max };
}

function strengthsOption(task: Modality, text: string | undefined): readonly number[] {
  if (text === undefined) return SWEEP_STRENGTHS[task];
  return text.split(',').map((part) => {
    const strength = part.trim() === '' ? NaN : Number(part);
    try {
      checkStrength(task, strength);
    } catch {
      const { minimum, maximum, values } = STRENGTH[task];
      const allowed = values ? values.join(' and ') : `from ${minimum} to ${maximum}`;
      throw new UsageError(`sweep: --strengths has "${part}"; for ${task} they can be ${allowed}, with commas between them`);
    }
    return strength;
  });
}

/** Said before the work and not after it. */
async function checkCsv(path: string, inputs: readonly string[]): Promise<void> {
  if (inputs.some((input) => resolve(input) === resolve(path))) {
    throw new UsageError(`sweep: --csv ${path} is an input itself; choose another name`);
  }
  await stat(dirname(resolve(path)));
}

function tableOf(task: Modality, volume: Volume): { heading: string; line(point: SweepPoint): string } {
  const units = isPicture(volume) || volume.units === 'raw' ? '' : `/${volume.units}`;
  const columns = [STRENGTH[task].name, 'PSNR/dB', '  SSIM', `    RMSE${units}`];
  const line = ({ strength, model, psnr, ssim, rmse }: SweepPoint) => {
    const cells = [String(strength), psnr.toFixed(3), ssim.toFixed(4), String(Number(rmse.toPrecision(5)))];
    return [...cells.map((cell, i) => cell.padStart(columns[i]!.length)), model ?? 'input'].join('  ');
  };
  return { heading: [...columns, 'of'].join('  '), line };
}
