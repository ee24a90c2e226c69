import { evaluate, evaluationRange, type Evaluation, type Range } from '../analysis/metrics.ts';
import { countMacs } from '../engine/cost.ts';
import { FormatError, type Modality, type Volume } from '../formats/volume.ts';
import { degradationSentence, degrade, optionsFor } from '../image/degrade.ts';
import type { NormalisationRule } from '../image/modelCard.ts';
import { isPicture, normalisationFor, PAPER_RANGE } from '../image/normalise.ts';
import { sliceOf, type Slice } from '../image/slice.ts';
import { toSuv } from '../image/suv.ts';
import { countParameters } from '../weights/networkWeights.ts';
import { openRestorer, type DeviceChoice, type Precision, type Restorer } from './devices.ts';
import { RefusedError } from './errors.ts';
import type { Evaluated } from './evaluateOutput.ts';
import { findInputs } from './files.ts';
import { loadModel, type LoadedModel } from './loadedModel.ts';
import { restoreSlice } from './restoreSlice.ts';
import { note, progress } from './terminal.ts';

export interface Simulation {
  readonly task: Modality;
  /** See `degrade`; a slice's seed is `seed` + its index in its volume, as `cli degrade` has it. */
  readonly strength: number;
  readonly seed: number;
  /** MRI's, a share of the brightest signal. */
  readonly noise: number;
  /** Indices of the slices to take of so many. */
  readonly chosen: (slices: number) => readonly number[];
}

interface OpenModel extends LoadedModel {
  readonly restorer: Restorer;
}

/**
 * Simulates the task's inputs from references and restores them with each model: the first method of the table is the
 * input, then the models in the order given. A model's normalisation is that of the reference's volume, as in training.
 * Slices whose reference has one value only are left out.
 *
 * All are compared in one range. CT: −160 … 240 HU. PET and MRI: where the first model's normalisation follows the
 * data, what it maps to 0 … 1, and RMSE is given on the paper's 0 … 20 or 0 … 4095 instead of 0 … 1, so that scans of
 * any scale can be averaged; else the range of its rule, the paper's without one, in native units.
 *
 * @throws RefusedError where no reference is left
 */
export async function evaluateModels(
  weights: readonly string[], data: readonly string[], simulation: Simulation, device: DeviceChoice | undefined,
  precision?: Precision,
): Promise<Evaluated> {
  const { task, strength, noise, seed, chosen } = simulation;
  const models = await openModels(weights, task, device, precision);
  note(`${degradationSentence(task, strength, noise)}, seed ${seed}`);
  const input: Evaluation[] = [];
  const restored: Evaluation[][] = models.map(() => []);
  const slices: { image: string; slice: number }[] = [];
  let units: string | null = null;
  let constant = 0;
  for await (const volume of references(data, task)) {
    const rules = models.map(({ normalisation }) => normalisationFor(task, volume, normalisation[task] ?? null));
    note(...rules.flatMap(({ notice }) => (notice === null ? [] : [`${volume.name}: ${notice}`])));
    const scale = scaleOf(task, volume, models[0]!.normalisation[task] ?? null);
    units ??= scale.units;
    if (scale.units !== units) {
      const [own, others] = [scale.units || 'plain numbers', units || 'plain numbers'];
      throw new RefusedError(
        `evaluate: ${volume.name} is in ${own}, the references before it in ${others}; evaluate them separately`,
      );
    }
    const options = optionsFor(volume, noise);
    const measure = (reference: Slice, estimate: Slice): Evaluation => {
      const evaluation = evaluate(reference, estimate, scale.range);
      return { ...evaluation, rmse: evaluation.rmse * scale.factor };
    };
    const indices = chosen(volume.slices);
    const started = performance.now();
    for (const [done, index] of indices.entries()) {
      const reference = sliceOf(volume, index);
      const simulated = degrade(reference, task, { ...options, strength, seed: seed + index });
      const before = measure(reference, simulated);
      if (before.constantReference) {
        constant += 1;
        continue;
      }
      input.push(before);
      slices.push({ image: volume.name, slice: index + 1 });
      for (const [row, { restorer, name }] of models.entries()) {
        const where = `slice ${index + 1} of ${volume.name} by ${name}`;
        restored[row]!.push(measure(reference, (await restoreSlice(simulated, rules[row]!, restorer, where)).restored));
      }
      progress(`${volume.name}: slice`, done + 1, indices.length, performance.now() - started);
    }
  }
  for (const { restorer } of models) restorer.dispose();
  if (constant > 0) note(`${constant} slices have a constant reference and are left out`);
  if (input.length === 0) {
    throw new RefusedError(`evaluate: no slice in ${data.join(', ')} can be evaluated; check --data and --slices`);
  }
  const networks = models.map(({ name, weights: { config } }, row) => ({
    name, parameters: countParameters(config), macs: countMacs(config, 128, 128), evaluations: restored[row]!,
  }));
  const methods = [{ name: 'Input', parameters: null, macs: null, evaluations: input }, ...networks];
  return { table: { methods, comparisons: [], units: units ?? '' }, slices, floor: null };
}

/** Loaded first, so that a damaged file is refused before a device starts; models of one name by their versions. */
async function openModels(
  paths: readonly string[], task: Modality, device: DeviceChoice | undefined, precision: Precision | undefined,
): Promise<OpenModel[]> {
  const loaded: LoadedModel[] = [];
  for (const path of paths) loaded.push(await loadModel(path));
  const models: OpenModel[] = [];
  for (const model of loaded) {
    note(...model.notices);
    const alone = loaded.filter(({ name }) => name === model.name).length === 1;
    const name = alone ? model.name : `${model.name} ${model.version}`;
    models.push({ ...model, name, restorer: await openRestorer(model.weights, device, { precision }) });
  }
  const rules = new Set(models.map(({ normalisation }) => JSON.stringify(normalisation[task] ?? null)));
  if (rules.size > 1) {
    note(`the models normalise ${task.toUpperCase()} differently; all are compared in the range of ${models[0]!.name}`);
  }
  return models;
}

/** The images of the task in files and folders, one at a time; what is left out is said. */
async function* references(paths: readonly string[], task: Modality): AsyncGenerator<Volume> {
  for (const path of paths) {
    const { images, notices } = await findInputs([path]);
    note(...notices);
    for (const image of images) {
      let volume: Volume;
      try {
        volume = await image.read();
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        note(`${image.title} is left out: ${error.message}`);
        continue;
      }
      note(...volume.notices);
      if (volume.modality === null || volume.modality === task) yield task === 'pet' ? toSuv(volume) : volume;
      else note(`${volume.name} is ${volume.modality.toUpperCase()} and is left out`);
    }
  }
}

/** What is compared of a volume, and what RMSE is given in. */
interface Scale {
  readonly range: Range;
  readonly units: string;
  /** Native units → `units`. */
  readonly factor: number;
}

function scaleOf(task: Modality, volume: Volume, rule: NormalisationRule | null): Scale {
  const normalisation = normalisationFor(task, volume, rule);
  if (isPicture(volume)) return { range: evaluationRange(null, normalisation), units: '', factor: 1 };
  const range = evaluationRange(task, normalisation);
  if (task === 'ct') return { range, units: 'HU', factor: 1 };
  if (rule !== null && rule.rule !== 'range') {
    const [, most] = PAPER_RANGE[task];
    return { range, units: `of 0 … ${most}`, factor: most * normalisation.scale };
  }
  return { range, units: task === 'pet' ? volume.units : '', factor: 1 };
}
