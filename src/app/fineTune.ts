import type { Modality } from '../formats/volume.ts';
import type { Degradation } from '../image/degrade.ts';
import type { StepReport, TrainingOptions, Validation } from '../training/training.ts';
import type { NamedFile } from './protocol.ts';

/** What the page and its worker say to each other about fine-tuning. */
export type TuneToWorker =
  | { type: 'tuneFit'; fit: FitRequest }
  | { type: 'tune'; request: TuneRequest }
  | { type: 'tuneResume' }
  | { type: 'tuneForget' }
  | { type: 'tunePause' }
  | { type: 'tuneGoOn' }
  | { type: 'tuneStop' }
  | { type: 'tuneUse' }
  | { type: 'tuneExport' }
  | { type: 'tuneClose' };

export type TuneFromWorker =
  | { type: 'tuneFits'; fit: Fit }
  | { type: 'tuneRun'; run: TuneRun | null }
  | { type: 'tuneHistory'; history: TuneHistory }
  | { type: 'tuneStep'; point: LossPoint; left: number | null }
  | { type: 'tuneValidation'; validation: Validation }
  | { type: 'tunePictures'; pictures: TunePictures }
  | { type: 'tuneStored'; stored: StoredRun | null }
  | { type: 'tuneProblem'; text: string };

/** What a run learns from. `opened`: the open image (its reference where it has one), from which inputs are simulated. */
export type TuneSource =
  | { readonly kind: 'opened' }
  | { readonly kind: 'openedPair' }
  | { readonly kind: 'references'; readonly references: readonly NamedFile[] }
  | { readonly kind: 'pairs'; readonly inputs: readonly NamedFile[]; readonly references: readonly NamedFile[] };

/** The chosen model, or a network that has learnt nothing. */
export type TuneStart = 'model' | 'light' | 'tiny';

export interface TuneRequest {
  readonly source: TuneSource;
  readonly modality: Modality;
  /** What is simulated; unused for pairs. */
  readonly degradation: Degradation;
  readonly start: TuneStart;
  readonly options: TrainingOptions;
  /** A checkpoint is kept every so many steps. */
  readonly checkpointEvery: number;
  /** The images that are held back are restored and measured every so many steps. */
  readonly validateEvery: number;
}

/** What the memory of a step depends on. */
export interface FitRequest {
  readonly start: TuneStart;
  readonly crop: number;
  readonly batch: number;
  readonly parts: TrainingOptions['parts'];
}

/** Memory in bytes: what a step is expected to take, and what it may take on this device. */
export interface Fit {
  readonly request: FitRequest;
  readonly bytes: number;
  readonly available: number;
  /** Crops a step that fit, at most the paper's; 0 where not even one does. */
  readonly batch: number;
  /** It only fits where results are computed twice instead of kept: `bytes` is what that takes. */
  readonly recompute: boolean;
}

/**
 * `preparing`: images are read and the network is set up. `paused` goes on when asked; `ended` does not: all steps are
 * done, it was stopped, or it failed (`problem` says why).
 */
export type TunePhase = 'preparing' | 'running' | 'pausing' | 'paused' | 'ended';

/** A run as it stands; its figures come apart from it. */
export interface TuneRun {
  readonly phase: TunePhase;
  /** What is trained on what, e.g. "Light, all in one on brain.nii.gz". */
  readonly title: string;
  /** What computes it, and why that. */
  readonly device: string;
  /** Steps done and of the whole run. */
  readonly step: number;
  readonly steps: number;
  /** Images that it learns from and that are held back. */
  readonly images: { readonly training: number; readonly validation: number };
  /** What was left out, and what else there is to know of it: sentences. */
  readonly notices: readonly string[];
  readonly problem: string | null;
  /** What lies on the disk; null before the first checkpoint and where there is no room for any. */
  readonly stored: StoredRun | null;
  /** The trained weights are among the models. */
  readonly used: boolean;
  /** There are weights to be used or exported. */
  readonly usable: boolean;
}

export type LossPoint = Pick<StepReport, 'step' | 'loss' | 'rate'>;

/** All figures of a run, from its first step. */
export interface TuneHistory {
  readonly losses: readonly LossPoint[];
  readonly validations: readonly Validation[];
}

/** A held-back slice (a learnt one where there is none) as data URLs, all in one grey window. */
export interface TunePictures {
  readonly name: string;
  /** Steps after which `now` was restored. */
  readonly step: number;
  readonly input: string;
  /** Restored before the first step; null where that is not known any more. */
  readonly before: string | null;
  readonly now: string;
  readonly reference: string;
}

/** A run that lies in the browser's own storage. */
export interface StoredRun {
  readonly title: string;
  readonly step: number;
  readonly steps: number;
  /** When its last checkpoint was written, in milliseconds since 1970. */
  readonly date: number;
  /** On the disk, all files. */
  readonly bytes: number;
}
