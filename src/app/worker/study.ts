import { displayTransform } from '../../formats/orientation.ts';
import type { VoxelAxis } from '../../formats/orientation.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import { degradationSentence, degrade, optionsFor } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import type { Normalisation } from '../../image/normalise.ts';
import { cutGrid } from '../../image/reslice.ts';
import { sliceOf } from '../../image/slice.ts';
import type { Slice } from '../../image/slice.ts';
import { windowPresets } from '../../image/window.ts';
import type { ImageState, Measured, PlaneState, ReferenceState } from '../protocol.ts';
import type { SliceGeometry } from '../view/geometry.ts';
import { ACQUIRED } from '../view/place.ts';

/** An opened image with all that was made of it. */
export interface Study {
  readonly volume: Volume;
  readonly modality: Modality;
  readonly modalityGuessed: boolean;
  /** Sentences about how it was read. */
  readonly notes: readonly string[];
  readonly reference: { readonly volume: Volume; readonly kind: 'sample' | 'file' } | null;
  /** The opened image is the reference of what it simulates. */
  readonly degradation: Degradation | null;
  /** The input's map to the network's [0, 1]; null until a model is asked for it. */
  readonly normalisation: Normalisation | null;
  /** Slices made so far, by index. */
  readonly degraded: Map<number, Slice>;
  readonly restored: Map<number, Slice>;
  /** Which of the restored ones were computed in 16-bit floats. */
  readonly halves: Set<number>;
  readonly scores: Map<number, Scores>;
}

export interface Scores {
  readonly input: Measured;
  readonly restored: Measured | null;
}

/** Files that do not say their modality are taken as MRI, whose normalisation follows the data. */
export const ASSUMED: Modality = 'mri';

export function newStudy(volume: Volume, notes: readonly string[] = volume.notices): Study {
  return {
    volume,
    modality: volume.modality ?? ASSUMED,
    modalityGuessed: volume.modality === null,
    notes,
    reference: null,
    degradation: null,
    normalisation: null,
    ...nothingDone(),
  };
}

/** For a study whose input, reference or model has changed. */
export function nothingDone(): Pick<Study, 'degraded' | 'restored' | 'halves' | 'scores'> {
  return { degraded: new Map(), restored: new Map(), halves: new Set(), scores: new Map() };
}

/** Keeps a restored slice. */
export function keepRestored({ restored, halves, scores }: Study, index: number, slice: Slice, half: boolean): void {
  restored.set(index, slice);
  if (half) halves.add(index);
  else halves.delete(index);
  const known = scores.get(index);
  if (known) scores.set(index, { ...known, restored: null });
}

/** The image to be restored: as opened, or after the simulated degradation (made when first asked for). */
export function inputSlice(study: Study, index: number): Slice {
  if (study.degradation === null) return sliceOf(study.volume, index);
  const known = study.degraded.get(index);
  if (known) return known;
  const made = degrade(sliceOf(study.volume, index), study.modality, {
    ...optionsFor(study.volume, study.degradation.noise), strength: study.degradation.strength, seed: index,
  });
  study.degraded.set(index, made);
  return made;
}

/** Whether `inputSlice` has to compute, which may take seconds for CT. */
export function inputIsReady(study: Study, index: number): boolean {
  return study.degradation === null || study.degraded.has(index);
}

export function referenceSlice(study: Study, index: number): Slice | null {
  if (study.degradation !== null) return sliceOf(study.volume, index);
  return study.reference ? sliceOf(study.reference.volume, index) : null;
}

export function referenceState(study: Study): ReferenceState | null {
  const { degradation, reference, modality, volume } = study;
  if (degradation !== null) {
    const sentence = degradationSentence(modality, degradation.strength, degradation.noise);
    return { kind: 'degraded', name: volume.name, degradation: sentence, simulated: degradation };
  }
  return reference && { kind: reference.kind, name: reference.volume.name, degradation: null, simulated: null };
}

export function imageState({ volume, modality, modalityGuessed, notes }: Study): ImageState {
  const { name, format, units, columns, rows, slices, times, spacing, origin } = volume;
  return {
    name,
    format,
    modality,
    modalityGuessed,
    units,
    columns,
    rows,
    slices: slices / times,
    times,
    spacing,
    planes: planesOf(volume),
    presets: windowPresets(modality, sampled(volume)).map(({ name: preset, centre, width, inverted }) => ({
      name: preset,
      window: rounded(width, width),
      level: rounded(centre, width),
      inverted,
    })),
    notes,
    series: origin.format === 'dicom' && origin.slices.length === slices,
  };
}

/** Axial, coronal, sagittal; as stored first where the file does not say which is which. */
const ORDER = ['stored', 'axial', 'coronal', 'sagittal', 'alongRows', 'alongColumns'] as const;
const UNKNOWN = { 0: 'alongColumns', 1: 'alongRows', 2: 'stored' } as const;

function planesOf(volume: Volume): PlaneState[] {
  const axes: readonly VoxelAxis[] = volume.slices > volume.times ? [2, 1, 0] : [2];
  return axes
    .map((across): PlaneState => {
      const { plane, letters } = displayTransform(volume.affine, across);
      const { count } = cutGrid(volume, across);
      return { across, name: plane ?? UNKNOWN[across], count, geometry: geometryOf(volume, across), letters };
    })
    .sort((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
}

/** How the pictures that stand on a voxel axis lie on the screen. */
export function geometryOf(volume: Volume, across: VoxelAxis = ACQUIRED): SliceGeometry {
  const { transpose, flipX, flipY } = displayTransform(volume.affine, across);
  const { columns, rows, pixel } = cutGrid(volume, across);
  return { columns, rows, pixel, transpose, flipX, flipY };
}

/** Percentiles of more voxels than this look no different on the screen, and take seconds. */
const MOST_SAMPLES = 2 ** 24;

/** The volume's voxels; of a very large one every second, third, … slice. */
function sampled({ data, columns, rows, slices }: Volume): Float32Array {
  if (data.length <= MOST_SAMPLES) return data;
  const size = columns * rows;
  const step = Math.min(slices, Math.ceil(data.length / MOST_SAMPLES));
  const taken = new Float32Array(Math.ceil(slices / step) * size);
  for (let k = 0; k < slices; k += step) taken.set(data.subarray(k * size, (k + 1) * size), (k / step) * size);
  return taken;
}

/** Three significant digits of the window: what a person would type. */
function rounded(value: number, width: number): number {
  const step = 10 ** (Math.floor(Math.log10(width)) - 2);
  return Number((Math.round(value / step) * step).toPrecision(12));
}

/** Columns × rows × slices, and × times where there are several. */
export function sizeOf({ columns, rows, slices, times }: Volume): string {
  return [columns, rows, slices / times, ...(times > 1 ? [times] : [])].join(' × ');
}
