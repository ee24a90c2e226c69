import { create } from 'zustand';
import type {
  CanvasSize, DeviceState, ImageState, ModelState, ReferenceState, SampleCard, SliceState, ViewSettings, Work,
} from './protocol.ts';

/** What the page shows: plain values only. Volumes, weights and the GPU live in the worker. */
export interface AppState {
  readonly device: DeviceState | null;
  readonly samples: readonly SampleCard[];
  /** Data URLs by sample. */
  readonly thumbnails: Readonly<Record<string, string>>;
  readonly models: readonly ModelState[];
  readonly model: string | null;
  readonly image: ImageState | null;
  /** The slice on the screen, from 0. */
  readonly index: number;
  readonly reference: ReferenceState | null;
  readonly slice: SliceState | null;
  readonly work: Work | null;
  readonly notice: string | null;
  readonly alert: string | null;
  readonly view: ViewSettings;
  readonly size: CanvasSize;
  /** The bottom sheet of narrow screens is pulled up. */
  readonly sheetOpen: boolean;
  readonly dialog: 'save' | 'keys' | null;
}

export const CAMERA_AT_REST = { zoom: 1, panX: 0, panY: 0 } as const;

export const useApp = create<AppState>()(() => ({
  device: null,
  samples: [],
  thumbnails: {},
  models: [],
  model: null,
  image: null,
  index: 0,
  reference: null,
  slice: null,
  work: null,
  notice: null,
  alert: null,
  view: { view: 'side', window: 1, level: 0.5, inverted: false, divider: 0.5, camera: CAMERA_AT_REST },
  size: { width: 1, height: 1, ratio: 1 },
  sheetOpen: false,
  dialog: null,
}));
