import { create } from 'zustand';
import type { CheckState } from './check.ts';
import type { Fit, LossPoint, StoredRun, TunePictures, TuneRun } from './fineTune.ts';
import type {
  CanvasSize, DeviceState, Found, ImageState, ModelState, PlaneState, ReferenceState, Role, SampleCard, SliceState,
  ViewSettings, Work,
} from './protocol.ts';
import type { Validation } from '../training/training.ts';
import type { PrecisionState } from './precision.ts';
import type { SweepState } from './sweep.ts';
import { ACQUIRED, keyOf } from './view/place.ts';
import type { Place } from './view/place.ts';

/** What the page shows: plain values only. Volumes, weights and the GPU live in the worker. */
export interface AppState {
  readonly device: DeviceState | null;
  /** Which canvas the viewer has: it is exchanged where it must be drawn on in another way. */
  readonly canvas: number;
  /** null until the device is known. */
  readonly precision: PrecisionState | null;
  readonly samples: readonly SampleCard[];
  /** Data URLs by sample. */
  readonly thumbnails: Readonly<Record<string, string>>;
  readonly models: readonly ModelState[];
  readonly model: string | null;
  readonly image: ImageState | null;
  readonly place: Place;
  /** The images that can be chosen instead of the open ones: what lay in the same drop. */
  readonly others: Readonly<Record<Role, Found | null>>;
  /** The images among which the user is asked to choose. */
  readonly found: Found | null;
  readonly reference: ReferenceState | null;
  readonly slice: SliceState | null;
  readonly work: Work | null;
  readonly notice: string | null;
  /** What there is to know of the files that were saved last. */
  readonly savedNotes: readonly string[];
  readonly alert: string | null;
  readonly view: ViewSettings;
  readonly size: CanvasSize;
  /** The bottom sheet of narrow screens is pulled up. */
  readonly sheetOpen: boolean;
  readonly dialog: 'save' | 'keys' | 'found' | 'notes' | 'tune' | 'sweep' | 'check' | 'precision' | null;
  readonly tune: TuneState;
  readonly sweep: SweepState | null;
  readonly check: CheckState | null;
}

/** Fine-tuning: the run with all its figures, and what could be one. */
export interface TuneState {
  readonly run: TuneRun | null;
  readonly losses: readonly LossPoint[];
  readonly validations: readonly Validation[];
  readonly pictures: TunePictures | null;
  /** Milliseconds; null until a step is done. */
  readonly left: number | null;
  /** The run on the disk. */
  readonly stored: StoredRun | null;
  readonly fit: Fit | null;
  /** Why no run came about. */
  readonly problem: string | null;
}

/** Of a run that has not taken a step. */
export const NO_FIGURES = { losses: [], validations: [], pictures: null, left: null } as const;

export const CAMERA_AT_REST = { zoom: 1, panX: 0, panY: 0 } as const;

export const useApp = create<AppState>()(() => ({
  device: null,
  canvas: 0,
  precision: null,
  samples: [],
  thumbnails: {},
  models: [],
  model: null,
  image: null,
  place: { across: ACQUIRED, voxel: [0, 0, 0], time: 0 },
  others: { input: null, reference: null },
  found: null,
  reference: null,
  slice: null,
  work: null,
  notice: null,
  savedNotes: [],
  alert: null,
  view: { view: 'side', window: 1, level: 0.5, inverted: false, divider: 0.5, camera: CAMERA_AT_REST },
  size: { width: 1, height: 1, ratio: 1 },
  sheetOpen: false,
  dialog: null,
  tune: { run: null, ...NO_FIGURES, stored: null, fit: null, problem: null },
  sweep: null,
  check: null,
}));

/** The plane that the viewer shows of an image. */
export function planeOf(image: ImageState, { across }: Place): PlaneState {
  return image.planes.find((plane) => plane.across === across) ?? image.planes[0]!;
}

/** What the worker said of the picture on the screen; null until it has. */
export const shownSlice = ({ slice, place }: AppState): SliceState | null =>
  slice?.key === keyOf(place) ? slice : null;

/** The plane in which the open image was acquired: the one that is restored and measured. */
export const acquiredPlane = ({ image }: AppState): PlaneState['name'] =>
  image?.planes.find(({ across }) => across === ACQUIRED)?.name ?? 'stored';
