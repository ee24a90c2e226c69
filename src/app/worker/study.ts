import { displayTransform } from '../../formats/orientation.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import { degradationSentence, degrade } from '../../image/degrade.ts';
import type { Normalisation } from '../../image/normalise.ts';
import { sliceOf } from '../../image/slice.ts';
import type { Slice } from '../../image/slice.ts';
import { windowPresets } from '../../image/window.ts';
import type { ImageState, Measured, ReferenceState } from '../protocol.ts';
import type { SliceGeometry } from '../view/geometry.ts';

/** An opened image with all that was made of it. */
export interface Study {
  readonly volume: Volume;
  readonly modality: Modality;
  readonly modalityGuessed: boolean;
  readonly reference: { readonly volume: Volume; readonly kind: 'sample' | 'file' } | null;
  /** Strength of the simulated degradation; the opened image is then the reference. */
  readonly degradation: number | null;
  /** The input's map to the network's [0, 1]; null until a model is asked for it. */
  readonly normalisation: Normalisation | null;
  /** Slices made so far, by index. */
  readonly degraded: Map<number, Slice>;
  readonly restored: Map<number, Slice>;
  readonly scores: Map<number, Scores>;
}

export interface Scores {
  readonly input: Measured;
  readonly restored: Measured | null;
}

/** Files that do not say their modality are taken as MRI, whose normalisation follows the data. */
const ASSUMED: Modality = 'mri';

export function newStudy(volume: Volume): Study {
  return {
    volume,
    modality: volume.modality ?? ASSUMED,
    modalityGuessed: volume.modality === null,
    reference: null,
    degradation: null,
    normalisation: null,
    ...nothingDone(),
  };
}

/** For a study whose input, reference or model has changed. */
export function nothingDone(): Pick<Study, 'degraded' | 'restored' | 'scores'> {
  return { degraded: new Map(), restored: new Map(), scores: new Map() };
}

/** The image to be restored: as opened, or after the simulated degradation (made when first asked for). */
export function inputSlice(study: Study, index: number): Slice {
  if (study.degradation === null) return sliceOf(study.volume, index);
  const known = study.degraded.get(index);
  if (known) return known;
  const made = degrade(sliceOf(study.volume, index), study.modality, {
    strength: study.degradation,
    seed: index,
    pixelSpacing: study.volume.spacing?.x,
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
    const sentence = degradationSentence(modality, degradation);
    return { kind: 'degraded', name: volume.name, degradation: sentence, strength: degradation };
  }
  return reference && { kind: reference.kind, name: reference.volume.name, degradation: null, strength: null };
}

export function imageState(study: Study): ImageState {
  const { volume, modality, modalityGuessed } = study;
  const { letters } = displayTransform(volume.affine);
  const [minimum, maximum] = extremes(volume.data);
  return {
    name: volume.name,
    format: volume.format,
    modality,
    modalityGuessed,
    units: volume.units,
    slices: volume.slices,
    spacing: volume.spacing,
    geometry: geometryOf(volume),
    letters,
    minimum,
    maximum,
    presets: windowPresets(modality, volume.data).map(({ name, centre, width, inverted }) => ({
      name,
      window: rounded(width, width),
      level: rounded(centre, width),
      inverted,
    })),
  };
}

export function geometryOf({ affine, columns, rows, spacing }: Volume): SliceGeometry {
  const { transpose, flipX, flipY } = displayTransform(affine);
  return { columns, rows, pixel: spacing ?? { x: 1, y: 1 }, transpose, flipX, flipY };
}

/** Three significant digits of the window: what a person would type. */
function rounded(value: number, width: number): number {
  const step = 10 ** (Math.floor(Math.log10(width)) - 2);
  return Number((Math.round(value / step) * step).toPrecision(12));
}

function extremes(data: Float32Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Columns × rows × slices. */
export function sizeOf({ columns, rows, slices }: Volume): string {
  return `${columns} × ${rows} × ${slices}`;
}
