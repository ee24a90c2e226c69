import { plainText } from '../../formats/guard.ts';
import { FormatError } from '../../formats/volume.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import { list, number, oneOf, record, text } from '../../image/cardFields.ts';
import { checkNoise, checkStrength } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import { holdOut, spread } from '../../image/holdOut.ts';
import { IDENTITY, normalisationFor } from '../../image/normalise.ts';
import type { NormalisationRule } from '../../image/modelCard.ts';
import { createInputCache, pairedImages, simulatedImages } from '../../image/trainingImages.ts';
import type { TrainingData } from '../../training/training.ts';
import { readSafetensors, writeSafetensors } from '../../weights/safetensors.ts';
import type { StoredTensor } from '../../weights/tensor.ts';

/** One image to learn from: a reference, and its low-quality input where that is not simulated. */
export interface Scan {
  readonly reference: Volume;
  readonly input: Volume | null;
  /** The native range that becomes [0, 1], by the model's rule on the whole image; null: pictures, which are in it. */
  readonly range: readonly [number, number] | null;
}

/** What a run learns from, as it is kept on the disk. */
export interface Lesson {
  readonly modality: Modality;
  /** null for pairs. */
  readonly degradation: Degradation | null;
  /** Of the noise of simulated inputs. */
  readonly seed: number;
  readonly scans: readonly Scan[];
}

export interface LessonImages {
  readonly data: TrainingData;
  /** Slices with nothing in them, which are not learnt from. */
  readonly empty: number;
}

/** `__metadata__.format` of the file; another layout gets another name. */
const FORMAT = 'restore-rwkv training images 1';
/** Simulated inputs that are kept for another crop, in bytes. */
const CACHE_BYTES = 2 ** 28;
const LONGEST_NAME = 120;

/** The range that a volume's values are mapped from, in its native units. */
export function rangeFor(modality: Modality, volume: Volume, rule: NormalisationRule | null): Scan['range'] {
  const { offset, scale, rule: kind } = normalisationFor(modality, volume, rule);
  return kind === IDENTITY.rule ? null : [offset, offset + 1 / scale];
}

/**
 * The slices to learn from and those to be judged by, at most so many; a run that goes on learns from the same ones.
 */
export function imagesOf({ modality, degradation, seed, scans }: Lesson, mostJudged: number): LessonImages {
  const cache = createInputCache(CACHE_BYTES);
  const { strength, noise } = degradation ?? { strength: NaN, noise: 0 };
  const sets = scans.map(({ reference, input, range }) => {
    const task = { modality, rule: range && { rule: 'range' as const, from: range }, gain: null };
    const { images, empty } =
      input ? pairedImages(input, reference, task)
      : simulatedImages(reference, { ...task, strength, noise, seed }, cache);
    return { slices: images, spacing: reference.spacing?.z ?? null, empty };
  });
  const { training, validation } = holdOut(sets);
  const empty = sets.reduce((sum, set) => sum + set.empty, 0);
  return { data: { training, validation: spread(validation, mostJudged) }, empty };
}

/** The lesson as safetensors: `reference.N` and `input.N` [slices, rows, columns] in native units. */
export function writeLesson({ modality, degradation, seed, scans }: Lesson): Uint8Array {
  const tensors = new Map<string, StoredTensor>();
  const put = (name: string, { slices, rows, columns, data }: Volume) =>
    tensors.set(name, { shape: [slices, rows, columns], data });
  for (const [i, { reference, input }] of scans.entries()) {
    put(`reference.${i}`, reference);
    if (input) put(`input.${i}`, input);
  }
  const described = scans.map(({ reference: { name, units, spacing, affine, origin }, range }) =>
    ({ name, units, spacing, affine, range, picture: origin.format === 'picture' }));
  return writeSafetensors(tensors, {
    format: FORMAT, modality, seed: String(seed), scans: JSON.stringify(described),
    ...(degradation && { strength: String(degradation.strength), noise: String(degradation.noise) }),
  });
}

/**
 * Reads what `writeLesson` wrote, of whatever origin.
 *
 * @throws FormatError, CardError, RangeError or WeightsError where it is damaged
 */
export function readLesson(bytes: Uint8Array): Lesson {
  const { tensors, metadata } = readSafetensors(bytes);
  if (metadata['format'] !== FORMAT) {
    throw new FormatError('training: the images of this run are damaged; begin a new one');
  }
  const modality = oneOf(metadata['modality'], ['ct', 'pet', 'mri'] as const, 'training: modality');
  const seed = number(Number(metadata['seed'] ?? NaN), 'training: seed');
  const degradation = degradationOf(metadata);
  if (degradation) {
    checkStrength(modality, degradation.strength);
    checkNoise(degradation.noise);
  }
  const described: unknown = JSON.parse(metadata['scans'] ?? 'null');
  if (!Array.isArray(described) || described.length === 0 || described.length > tensors.size) {
    throw new FormatError('training: the images of this run are not described; begin a new one');
  }
  const scans = described.map((json: unknown, i): Scan => {
    const at = `training: image ${i + 1}`;
    const fields = record(json, at);
    const [low, high] = fields['range'] === null ? [] : list(fields['range'], `${at}, range`, number);
    if (fields['range'] !== null && !(low! < high!)) throw new FormatError(`${at} has no range; begin a new run`);
    const volume = (tensor: StoredTensor | undefined) => volumeOf(tensor, fields, modality, at);
    return {
      reference: volume(tensors.get(`reference.${i}`)),
      input: degradation === null ? volume(tensors.get(`input.${i}`)) : null,
      range: fields['range'] === null ? null : [low!, high!],
    };
  });
  return { modality, degradation, seed, scans };
}

/** Runs that were kept before there was noise have none. */
function degradationOf({ strength, noise = '0' }: Readonly<Record<string, string | undefined>>): Degradation | null {
  return strength === undefined ? null : { strength: Number(strength), noise: Number(noise) };
}

function volumeOf(
  tensor: StoredTensor | undefined, fields: Record<string, unknown>, modality: Modality, at: string,
): Volume {
  const [slices, rows, columns] = tensor?.shape ?? [];
  if (!tensor || tensor.shape.length !== 3 || tensor.data.length === 0 || !(tensor.data instanceof Float32Array)) {
    throw new FormatError(`${at} is missing; begin a new run`);
  }
  const { spacing, affine } = fields;
  const mm = spacing === null ? null : record(spacing, `${at}, spacing`);
  const edge = (axis: string) => {
    const size = number(mm?.[axis], `${at}, spacing`);
    if (!(size > 0)) throw new FormatError(`${at} has a spacing of ${size} mm; begin a new run`);
    return size;
  };
  const matrix = affine === null ? null : list(affine, `${at}, affine`, number);
  if (matrix && matrix.length !== 16) throw new FormatError(`${at} has no place in the patient; begin a new run`);
  return {
    name: plainText(text(fields['name'], `${at}, name`), LONGEST_NAME),
    format: 'nifti',
    modality,
    units: oneOf(fields['units'], ['HU', 'SUV', 'Bq/mL', 'raw'] as const, `${at}, units`),
    columns: columns!,
    rows: rows!,
    slices: slices!,
    times: 1,
    data: tensor.data,
    spacing: mm && { x: edge('x'), y: edge('y'), z: edge('z') },
    affine: matrix,
    suv: null,
    origin: fields['picture'] === true ? { format: 'picture', bitDepth: 16 } : { format: 'plain', type: 'float32' },
    notices: [],
  };
}
