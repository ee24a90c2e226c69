import type { Config } from '../model/config.ts';
import type { StateDict } from '../weights/tensor.ts';

/** What a user chooses about a training run; `DEFAULT_OPTIONS` are the paper's, but for the steps. */
export interface TrainingOptions {
  /** Steps of the whole run: the learning rate follows half a cosine over them. */
  readonly steps: number;
  /** Crops a step. */
  readonly batch: number;
  /** Edge of the square crops in pixels, a multiple of 8. */
  readonly crop: number;
  /** Learning rate at the first step and after the last. */
  readonly rate: number;
  readonly lastRate: number;
  /** Decides which crops are taken, how they are turned, and the noise of simulated inputs. */
  readonly seed: number;
  /** Gradients are scaled down to this Euclidean norm over all parameters; null leaves them. */
  readonly clip: number | null;
  /** `decoder`: encoder and latent stay as they are, which takes less memory. */
  readonly parts: 'all' | 'decoder';
  /**
   * Of a block only what goes in is kept; the images inside are computed again when gradients come back, which takes
   * about a third more time and a fraction of the memory. Left out: false.
   */
  readonly recompute?: boolean;
}

export const DEFAULT_OPTIONS: TrainingOptions = {
  steps: 1000, batch: 4, crop: 128, rate: 2e-4, lastRate: 1e-6, seed: 0, clip: null, parts: 'all',
};

/** One image to learn from, in the network's [0, 1]. */
export interface TrainingImage {
  /** For messages; the file's name and slice. */
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** [height, width] */
  readonly reference: Float32Array;
  /**
   * The low-quality image [height, width] of a realisation of the noise (0, 1, …): the same number gives the same image.
   * A real pair has one realisation.
   */
  input(realisation: number): Float32Array;
  readonly realisations: number;
  /** Input and reference of a crop are multiplied by one random factor from this range; null: left as they are. */
  readonly gain: readonly [number, number] | null;
  /** Share of crops that come from this image, relative to the others'; 1 for all alike. */
  readonly weight: number;
}

/** What a run learns from and what it is judged by; no image is in both. */
export interface TrainingData {
  readonly training: readonly TrainingImage[];
  readonly validation: readonly TrainingImage[];
}

export interface StepReport {
  /** Steps done, this one included. */
  readonly step: number;
  /** Mean absolute error of the step's crops, before the step changed the weights. */
  readonly loss: number;
  /** Learning rate of this step. */
  readonly rate: number;
  /** Euclidean norm over all trained parameters' gradients, before clipping. */
  readonly gradientNorm: number;
  readonly milliseconds: number;
}

/** Over the validation images as a whole, in [0, 1]; data range of each image its reference's max − min. */
export interface Validation {
  readonly step: number;
  /** Mean PSNR in dB and SSIM of the restored images against their references. */
  readonly psnr: number;
  readonly ssim: number;
  /** The same for the inputs as they are. */
  readonly inputPsnr: number;
  readonly inputSsim: number;
}

/** A run in progress; one call at a time. */
export interface Trainer {
  readonly config: Config;
  readonly options: TrainingOptions;
  /** Steps done. */
  readonly step: number;
  /**
   * Takes one step.
   * @throws TrainingError where loss or gradients are not finite: the weights are then those of the last good step
   */
  next(): Promise<StepReport>;
  /** Restores an image [height, width] of any size with the weights as they are now. */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  /** Weights, moments, step and options: all that `resumeTrainer` needs beside the data. safetensors. */
  checkpoint(): Promise<Uint8Array>;
  /** The weights under the names and shapes of the public checkpoints, multi-branch Omni-Shift. */
  weights(): Promise<StateDict>;
  dispose(): void;
}

/** A training run that cannot begin or go on; one sentence for the user. */
export class TrainingError extends Error {
  override name = 'TrainingError';
}
