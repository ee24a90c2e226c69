import { join } from 'node:path';
import { FormatError, type Modality, type Volume } from '../formats/volume.ts';
import { holdOut, spread } from '../image/holdOut.ts';
import type { ModelCard } from '../image/modelCard.ts';
import { toSuv } from '../image/suv.ts';
import {
  createInputCache, matchPairs, pairedImages, simulatedImages, type InputCache, type VolumeImages,
} from '../image/trainingImages.ts';
import type { TrainingData, TrainingImage } from '../training/training.ts';
import { RefusedError } from './errors.ts';
import { findInputs } from './files.ts';
import { MODALITIES, type Lesson, type TrainArguments } from './trainOptions.ts';

/** Simulated inputs that are kept for another crop. */
const CACHE_BYTES = 2 ** 30;

/** A run's images. */
export interface LoadedData {
  readonly data: TrainingData;
  /** What is learnt from, in a sentence for the model's card. */
  readonly learntFrom: string;
}

/** Tells the user something about the files. */
type Tell = (notice: string) => void;

/** Volumes in a folder or file that are of a modality, PET in SUV where that is known. */
async function volumesAt(path: string, modality: Modality, tell: Tell): Promise<Volume[]> {
  const found = await findInputs([path]);
  found.notices.forEach(tell);
  const volumes: Volume[] = [];
  for (const image of found.images) {
    try {
      const volume = await image.read();
      if (volume.modality === null || volume.modality === modality) volumes.push(modality === 'pet' ? toSuv(volume) : volume);
      else tell(`${volume.name} is ${volume.modality.toUpperCase()} and was left out.`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      tell(`${image.title} was left out: ${error.message}.`);
    }
  }
  return volumes;
}

/**
 * The images of a run. `--task all` reads the folders ct, pet and mri of each path.
 *
 * @throws RefusedError where a task has nothing to learn from
 */
export async function loadData(
  { data, references, validation, validationSlices }: TrainArguments,
  lesson: Lesson, seed: number, rules: ModelCard['normalisation'], tell: Tell,
): Promise<LoadedData> {
  const tasks = MODALITIES.filter((modality) => lesson.shares[modality]);
  const folder = (path: string, modality: Modality) => (tasks.length > 1 ? join(path, modality) : path);
  const cache = createInputCache(CACHE_BYTES);
  const training: TrainingImage[] = [];
  const judged: TrainingImage[] = [];
  const learntFrom: string[] = [];
  for (const modality of tasks) {
    const volumes = await volumesAt(folder(data, modality), modality, tell);
    const learner = learnerOf(modality, lesson, seed, rules, cache);
    let sets: Set[];
    if (references.length > 0) {
      const targets: Volume[] = [];
      for (const path of references) targets.push(...await volumesAt(folder(path, modality), modality, tell));
      const { pairs, mismatches } = matchPairs(volumes, targets);
      mismatches.forEach(tell);
      sets = pairs.map(({ input, reference }) => ({ volume: reference, ...learner.pair(input, reference) }));
    } else {
      sets = volumes.map((volume) => ({ volume, ...learner.alone(volume) }));
    }
    const empty = sets.reduce((sum, set) => sum + set.empty, 0);
    if (empty > 0) tell(`${modality.toUpperCase()}: ${empty} empty slices are not learnt from.`);
    sets.forEach(({ normalisation: { notice } }) => notice && tell(notice));

    const whole = { training: sets.flatMap(({ images }) => images), validation: [] };
    const held = validation !== null || validationSlices === 0 ? whole : holdOut(sets.map(({ volume, images }) =>
      ({ slices: images, spacing: volume.spacing?.z ?? null })));
    if (held.training.length === 0) {
      throw new RefusedError(`train: ${folder(data, modality)} holds no ${modality.toUpperCase()} slice to learn from; ` +
        'add volumes with images in them');
    }
    // Tasks by their shares, each slice of a task alike.
    const weight = (lesson.shares[modality] ?? 1) / held.training.length;
    training.push(...held.training.map((image) => weighted(image, weight)));
    judged.push(...spread(held.validation, validationSlices));
    if (validation !== null) {
      const others = await volumesAt(folder(validation, modality), modality, tell);
      judged.push(...spread(others.flatMap((volume) => learner.alone(volume).images), validationSlices));
    }
    learntFrom.push(`${modality.toUpperCase()}: ${held.training.length} slices of ${namesOf(sets.map(({ volume }) => volume.name))}`);
  }
  return { data: { training, validation: judged }, learntFrom: learntFrom.join('; ') };
}

type Set = VolumeImages & { readonly volume: Volume };

function learnerOf(
  modality: Modality, { strength, noise, gain }: Lesson, seed: number, rules: ModelCard['normalisation'], cache: InputCache,
) {
  const task = { modality, rule: rules[modality] ?? null, gain: gain[modality] ?? null };
  return {
    pair: (input: Volume, reference: Volume) => pairedImages(input, reference, task),
    alone: (volume: Volume) => simulatedImages(volume, {
      ...task, seed, strength: strength?.[modality] ?? NaN, noise: modality === 'mri' ? noise : 0,
    }, cache),
  };
}

/** A copy with another weight, its reference still computed when asked for. */
function weighted(image: TrainingImage, weight: number): TrainingImage {
  return Object.defineProperty(Object.create(image) as TrainingImage, 'weight', { value: weight, enumerable: true });
}

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
