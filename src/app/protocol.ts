import type { Plane, VoxelAxis } from '../formats/orientation.ts';
import type { FormatName, Modality, Units } from '../formats/volume.ts';
import type { Degradation } from '../image/degrade.ts';
import type { CheckFromWorker, CheckToWorker } from './check.ts';
import type { TuneFromWorker, TuneToWorker } from './fineTune.ts';
import type { PrecisionFromWorker, PrecisionToWorker, Remembered } from './precision.ts';
import type { SweepFromWorker, SweepToWorker } from './sweep.ts';
import type { Camera, SliceGeometry } from './view/geometry.ts';
import type { ViewName } from './view/panes.ts';
import type { Place } from './view/place.ts';

/** Everything that the page and its worker say to each other. */
export type ToWorker =
  | {
      type: 'start'; canvas: OffscreenCanvas; size: CanvasSize; view: ViewSettings; base: string; device: DeviceChoice;
      remembered: Remembered;
    }
  /** A new one, which was asked for. */
  | { type: 'canvas'; canvas: OffscreenCanvas }
  | { type: 'resize'; size: CanvasSize }
  | { type: 'view'; view: ViewSettings }
  | { type: 'open'; files: NamedFile[]; role: Role }
  | { type: 'choose'; role: Role; finding: number; index: number }
  | { type: 'previews'; finding: number }
  | { type: 'sample'; id: string }
  | { type: 'modality'; modality: Modality }
  | { type: 'place'; place: Place }
  | { type: 'degrade'; degradation: Degradation | null }
  | { type: 'model'; id: string }
  | { type: 'weights'; file: NamedFile }
  | { type: 'restore' }
  | { type: 'restoreVolume' }
  | { type: 'cancel' }
  | { type: 'save'; request: SaveRequest }
  | TuneToWorker
  | SweepToWorker
  | CheckToWorker
  | PrecisionToWorker;

export type FromWorker =
  /** The canvas must be a new one: the viewer is drawn in another way. */
  | { type: 'canvas' }
  | { type: 'device'; device: DeviceState }
  | { type: 'samples'; samples: SampleCard[] }
  | { type: 'thumbnail'; id: string; url: string }
  | { type: 'models'; models: ModelState[]; chosen: string | null }
  | { type: 'found'; found: Found }
  | { type: 'preview'; finding: number; index: number; picture: Picture }
  | { type: 'image'; image: ImageState; place: Place; fresh: boolean; finding: number | null }
  | { type: 'reference'; reference: ReferenceState | null; finding: number | null }
  | { type: 'slice'; slice: SliceState }
  | { type: 'busy'; work: Work }
  | { type: 'idle' }
  | { type: 'notice'; text: string }
  | { type: 'alert'; text: string }
  | { type: 'saved'; notices: readonly string[] }
  | { type: 'download'; name: string; blob: Blob }
  | TuneFromWorker
  | SweepFromWorker
  | CheckFromWorker
  | PrecisionFromWorker;

/** The opened image is restored; the reference is what it is compared with. */
export type Role = 'input' | 'reference';

export interface NamedFile {
  /** Path inside a dropped folder, or the file's name. */
  readonly name: string;
  readonly file: File;
}

/** At most this many files of a drop are looked at: several studies with all their series. */
export const MOST_FILES = 20_000;

/** The images among the files of a drop. */
export interface Found {
  readonly finding: number;
  readonly role: Role;
  readonly images: readonly FoundCard[];
}

export interface FoundCard {
  readonly title: string;
  readonly format: FormatName;
  readonly modality: Modality | null;
  /** Slices are those of one time point; null where only reading the whole file would tell. */
  readonly size: { readonly columns: number; readonly rows: number; readonly slices: number; readonly times: number }
    | null;
  readonly files: number;
  /** null until it is made. */
  readonly picture: Picture | null;
}

/** A thumbnail as a data URL, or the sentence why there is none. */
export type Picture = { readonly url: string } | { readonly failed: string };

/** Formats of one file that hold a volume. */
export type VolumeFormat = 'nifti' | 'nrrd' | 'metaimage';

export type SaveRequest =
  | { readonly what: 'png' }
  /** `source`: the input's number type. */
  | { readonly what: VolumeFormat; readonly type: 'source' | 'float32' }
  | ({ readonly what: 'dicom' } & SeriesRequest);

export interface SeriesRequest {
  readonly deidentify: boolean;
  /** Also those that are not restored. */
  readonly everySlice: boolean;
  /** Without one the files come as a zip. */
  readonly folder: FileSystemDirectoryHandle | null;
}

/** `auto` takes WebGPU and falls back to WebAssembly; `wasm` skips WebGPU. */
/** auto: WebGPU on a graphics processor, else WebAssembly. webgpu: on whatever plays one, too. */
export type DeviceChoice = 'auto' | 'webgpu' | 'wasm';

export interface DeviceState {
  readonly kind: 'webgpu' | 'wasm';
  readonly name: string;
  /** WebGPU on a processor: it works, slowly. */
  readonly software: boolean;
  /** Why WebGPU is not used; null where it is. */
  readonly why: string | null;
}

/** The canvas in device pixels, and how many of them make a CSS pixel. */
export interface CanvasSize {
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
}

export interface ViewSettings {
  readonly view: ViewName;
  /** Width and centre of the window in the image's own units. */
  readonly window: number;
  readonly level: number;
  readonly inverted: boolean;
  /** Share of the canvas left of the divider. */
  readonly divider: number;
  readonly camera: Camera;
}

export interface SampleCard {
  readonly id: string;
  readonly title: string;
  readonly modality: Modality;
  readonly attribution: string;
}

export interface ModelState {
  readonly id: string;
  readonly name: string;
  /** "light", "full" or "custom"; null until the weights are read. */
  readonly variant: string | null;
  readonly parameters: number | null;
  readonly card: CardText | null;
}

/** What a model card says, ready to be read. */
export interface CardText {
  readonly tasks: readonly { readonly modality: Modality; readonly title: string; readonly degradation: string }[];
  readonly trained: string;
  /** How native units become the network's [0, 1]. */
  readonly normalisation: string;
  /** `url` begins with https://. */
  readonly data: readonly {
    readonly title: string;
    readonly attribution: string;
    readonly licence: string;
    readonly url: string;
  }[];
  readonly licence: string;
  readonly limits: readonly string[];
  readonly measured: readonly {
    readonly task: string;
    readonly on: string;
    readonly slices: number;
    /** Of RMSE. */
    readonly units: string;
    readonly input: Measured;
    readonly restored: Measured;
  }[];
}

/** PSNR in dB, SSIM in [0, 1], RMSE in the evaluation's units. */
export interface Measured {
  readonly psnr: number;
  readonly ssim: number;
  readonly rmse: number;
}

export interface ImageState {
  readonly name: string;
  readonly format: FormatName;
  readonly modality: Modality;
  /** The file did not say its modality: the one above is a guess or the user's choice. */
  readonly modalityGuessed: boolean;
  readonly units: Units;
  readonly columns: number;
  readonly rows: number;
  /** Of one time point. */
  readonly slices: number;
  readonly times: number;
  /** mm between columns, rows and slices; null where the file does not say. */
  readonly spacing: { readonly x: number; readonly y: number; readonly z: number } | null;
  /** The ways to cut the volume; the acquired one alone where there is one slice. */
  readonly planes: readonly PlaneState[];
  readonly presets: readonly Preset[];
  /** Sentences: what was left out or guessed when it was read, and how SUV came about. */
  readonly notes: readonly string[];
  /** It can be saved as a derived DICOM series. */
  readonly series: boolean;
}

/** The pictures that stand on one voxel axis. */
export interface PlaneState {
  readonly across: VoxelAxis;
  /** Where the file does not say how it lies: as stored, or along what the cut shows beside the slices. */
  readonly name: Plane | 'stored' | 'alongRows' | 'alongColumns';
  /** Pictures a time point. */
  readonly count: number;
  readonly geometry: SliceGeometry;
  /** Letters at the left, right, top and bottom of the screen; null where the file does not say. */
  readonly letters: { left: string; right: string; top: string; bottom: string } | null;
}

export interface Preset {
  readonly name: string;
  readonly window: number;
  readonly level: number;
  readonly inverted: boolean;
}

export interface ReferenceState {
  /** `sample`: came with it; `file`: opened; `degraded`: the opened image, whose simulated degradation is restored. */
  readonly kind: 'sample' | 'file' | 'degraded';
  readonly name: string;
  /** The degradation in words, e.g. "25 % of k-space along each axis"; null for the other kinds. */
  readonly degradation: string | null;
  readonly simulated: Degradation | null;
}

export interface SliceState {
  /** `keyOf` the place that this is said of. */
  readonly key: string;
  /** Slices that the picture goes through (1 for an acquired one), and how many of them are there. */
  readonly through: number;
  readonly input: number;
  readonly restored: number;
  /** Slices of the volume that are restored. */
  readonly restoredCount: number;
  /** The picture is a slice that was restored in 16-bit floats. */
  readonly half: boolean;
  /** null where there is no reference, and for pictures that are no acquired slice. */
  readonly metrics: Metrics | null;
}

export interface Metrics {
  readonly input: Measured;
  readonly restored: Measured | null;
  /** Mean over the restored slices where there are several. */
  readonly volume: { readonly slices: number; readonly input: Measured; readonly restored: Measured } | null;
  /** What both images were clamped to, e.g. "−160 … 240 HU". */
  readonly range: string;
  readonly units: string;
}

/** What is being done: a state, and how far it is (null where that cannot be known). */
export interface Work {
  readonly state: 'looking' | 'loading' | 'degrading' | 'weights' | 'compiling' | 'restoring' | 'volume' | 'saving'
    | 'scans' | 'preparing' | 'sweep' | 'check' | 'precision';
  readonly done: number | null;
  readonly total: number | null;
  /** Milliseconds left; null while unknown. */
  readonly left: number | null;
}
