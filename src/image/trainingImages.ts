import { FormatError, type Modality, type Volume } from '../formats/volume.ts';
import { degrade, optionsFor } from './degrade.ts';
import type { NormalisationRule } from './modelCard.ts';
import { normalisationFor, normalise, type Normalisation } from './normalise.ts';
import { sliceOf, type Slice } from './slice.ts';

/** A slice to learn from: what training's `TrainingImage` asks for. */
export interface SliceImage {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** In [0, 1], [height, width]; computed anew each time. */
  readonly reference: Float32Array;
  input(realisation: number): Float32Array;
  readonly realisations: number;
  readonly gain: readonly [number, number] | null;
  readonly weight: number;
}

/** The slices of a volume that there is something to learn from. */
export interface VolumeImages {
  readonly images: readonly SliceImage[];
  /** Slices without an image in them: their reference has one value only. */
  readonly empty: number;
  readonly normalisation: Normalisation;
}

/** What all volumes of a task have in common. */
export interface LearningTask {
  readonly modality: Modality;
  /** The model's rule; null for the paper's range. */
  readonly rule: NormalisationRule | null;
  readonly gain: readonly [number, number] | null;
}

export interface Simulation extends LearningTask {
  /** One, or several in turn over a slice's realisations: a network that is to cope with all of them sees them all. */
  readonly strength: number | readonly number[];
  /** MRI: see `DegradeOptions`. */
  readonly noise?: number;
  readonly seed: number;
  /** Different noise for a slice that is seen again; `REALISATIONS` of the task if left out. */
  readonly realisations?: number;
}

/** Simulated noise differs each time, so a slice of CT or PET gives several inputs; k-space's centre is always one. */
export const REALISATIONS = { ct: 4, pet: 4, mri: 1, noisyMri: 4 } as const;

/** Simulated inputs, the latest used of them, up to a number of bytes. */
export interface InputCache {
  get(key: string, make: () => Float32Array): Float32Array;
}

export function createInputCache(bytes: number): InputCache {
  const kept = new Map<string, Float32Array>();
  let total = 0;
  return {
    get(key, make) {
      const known = kept.get(key);
      const value = known ?? make();
      // A Map keeps the order of insertion: what was used goes to its end, what goes first was used longest ago.
      kept.delete(key);
      kept.set(key, value);
      if (!known) total += value.byteLength;
      for (const [oldest, { byteLength }] of kept) {
        if (total <= bytes) break;
        kept.delete(oldest);
        total -= byteLength;
      }
      return value;
    },
  };
}

/**
 * References alone: the input of each slice is simulated from it in native units when it is first asked for, and both
 * take the map to [0, 1] that the rule gives the reference's volume. The noise depends on seed, volume (its name and
 * size), slice and realisation.
 *
 * @param volume PET in SUV where that is known (`toSuv`); its voxels are kept, not copied
 */
export function simulatedImages(volume: Volume, simulation: Simulation, cache: InputCache): VolumeImages {
  const { modality, seed } = simulation;
  const strengths = [simulation.strength].flat();
  const realisations = simulation.realisations ??
    Math.max(strengths.length, simulation.noise ? REALISATIONS.noisyMri : REALISATIONS[modality]);
  const normalisation = normalisationFor(modality, volume, simulation.rule);
  const identity = `${volume.name} ${volume.columns}×${volume.rows}×${volume.slices}`;
  const common = optionsFor(volume, simulation.noise);
  const inputOf = (slice: Slice, index: number) => (realisation: number) => {
    const strength = strengths[realisation % strengths.length]!;
    return cache.get(`${identity} ${index} ${realisation} ${strength}`, () => {
      const options = { ...common, strength, seed: seedOf(`${seed} ${identity} ${index} ${realisation}`) };
      return normalise(degrade(slice, modality, options), normalisation).image.data;
    });
  };
  return imagesOf(volume, normalisation, simulation.gain, realisations, inputOf);
}

/**
 * Real pairs: low-quality slices and their references, both by the map that the rule gives the input's volume, as it
 * will be when the network is used.
 *
 * @throws FormatError, naming both, where the two are not of one size and place
 */
export function pairedImages(input: Volume, reference: Volume, task: LearningTask): VolumeImages {
  const mismatch = pairMismatch(input, reference);
  if (mismatch !== null) throw new FormatError(`pairs: ${mismatch}`);
  const normalisation = normalisationFor(task.modality, input, task.rule);
  const inputOf = (_: Slice, index: number) => () => normalise(sliceOf(input, index), normalisation).image.data;
  return imagesOf(reference, normalisation, task.gain, 1, inputOf);
}

function imagesOf(
  volume: Volume, normalisation: Normalisation, gain: SliceImage['gain'], realisations: number,
  inputOf: (slice: Slice, index: number) => SliceImage['input'],
): VolumeImages {
  const images: SliceImage[] = [];
  for (let index = 0; index < volume.slices; index++) {
    const slice = sliceOf(volume, index);
    const reference = () => normalise(slice, normalisation).image.data;
    if (isConstant(reference())) continue;
    images.push({
      name: `${volume.name}, slice ${index + 1}`,
      height: slice.height,
      width: slice.width,
      get reference() {
        return reference();
      },
      input: inputOf(slice, index),
      realisations,
      gain,
      weight: 1,
    });
  }
  return { images, empty: volume.slices - images.length, normalisation };
}

/** FNV-1a of the text: another seed for each slice and realisation, the same in every run. */
function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const isConstant = (data: Float32Array): boolean => data.every((value) => value === data[0]);

/** How far apart, in voxels, two volumes may lie and still be the same place. */
const SAME_PLACE = 0.1;

/** Why an input and a reference are no pair, naming both; null where they are one. */
export function pairMismatch(input: Volume, reference: Volume): string | null {
  const size = ({ columns, rows, slices }: Volume) => `${columns} × ${rows} × ${slices}`;
  if (size(input) !== size(reference)) {
    return `${input.name} is ${size(input)} and ${reference.name} ${size(reference)}; choose images of one size`;
  }
  if (!input.affine || !reference.affine) return null;
  const corners = [0, input.columns - 1].flatMap((i) =>
    [0, input.rows - 1].flatMap((j) => [0, input.slices / input.times - 1].map((k) => [i, j, k])));
  const voxel = Math.min(...Object.values(input.spacing ?? { x: 1 }));
  const apart = Math.max(...corners.map((corner) => distance(at(input.affine!, corner), at(reference.affine!, corner))));
  if (!(apart > SAME_PLACE * voxel)) return null;
  return `${input.name} and ${reference.name} lie up to ${Number(apart.toPrecision(3))} mm apart; ` +
    'register the one to the other first';
}

const at = (affine: readonly number[], [i, j, k]: readonly number[]) =>
  [0, 4, 8].map((row) => affine[row]! * i! + affine[row + 1]! * j! + affine[row + 2]! * k! + affine[row + 3]!);

const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, axis) => value - b[axis]!));

/** Inputs and references that belong together, and a sentence for each that was left alone. */
export interface Pairs {
  readonly pairs: readonly { readonly input: Volume; readonly reference: Volume }[];
  readonly mismatches: readonly string[];
}

/**
 * Matches volumes by name, those left over by size and place; one that could belong to several others belongs to none.
 */
export function matchPairs(inputs: readonly Volume[], references: readonly Volume[]): Pairs {
  const pairs: { input: Volume; reference: Volume }[] = [];
  const mismatches: string[] = [];
  const taken = new Set<Volume>();
  const left = inputs.filter((input) => {
    const named = references.filter((reference) => reference.name === input.name && !taken.has(reference));
    const reference = named.find((candidate) => pairMismatch(input, candidate) === null) ?? named[0];
    if (!reference) return true;
    taken.add(reference);
    const mismatch = pairMismatch(input, reference);
    if (mismatch === null) pairs.push({ input, reference });
    else mismatches.push(`No pair: ${mismatch}.`);
    return false;
  });
  const open = references.filter((reference) => !taken.has(reference));
  for (const input of left) {
    const fitting = open.filter((reference) => pairMismatch(input, reference) === null);
    const rivals = left.filter((other) => pairMismatch(other, fitting[0] ?? other) === null);
    if (fitting.length === 1 && rivals.length === 1) pairs.push({ input, reference: fitting[0]! });
    else if (left.length === 1 && open.length === 1) mismatches.push(`No pair: ${pairMismatch(input, open[0]!)!}.`);
    else mismatches.push(`No pair: ${input.name} has ${fitting.length} references of its size; give both one name.`);
  }
  return { pairs, mismatches };
}
