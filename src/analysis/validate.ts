import { evaluate } from './metrics.ts';
import { meanAndDeviation } from './summary.ts';

/** An image in [0, 1] with its low-quality input, as training has them. */
export interface ValidationImage {
  readonly height: number;
  readonly width: number;
  readonly reference: Float32Array;
  input(realisation: number): Float32Array;
}

/** Mean PSNR in dB and SSIM over images. */
export interface Scores {
  readonly psnr: number;
  readonly ssim: number;
}

type Restore = (image: Float32Array, height: number, width: number) => Promise<Float32Array>;

const RANGE = { min: 0, max: 1 };

/** How close the inputs themselves are to their references: the same at every step, so computed once. */
export function inputScores(images: readonly ValidationImage[]): Scores {
  return mean(images.map((image) => scoresOf(image, image.input(0))));
}

/**
 * PSNR and SSIM of restored images against their references in [0, 1], the data range of each being its reference's
 * max − min; realisation 0 of each input. An image that equals its reference does not count towards the PSNR.
 */
export async function validate(
  trainer: { readonly step: number; readonly restore: Restore },
  images: readonly ValidationImage[], inputs: Scores = inputScores(images),
): Promise<{ step: number; psnr: number; ssim: number; inputPsnr: number; inputSsim: number }> {
  const { step } = trainer;
  const scores: Scores[] = [];
  for (const image of images) {
    scores.push(scoresOf(image, await trainer.restore(image.input(0), image.height, image.width)));
  }
  const { psnr, ssim } = mean(scores);
  return { step, psnr, ssim, inputPsnr: inputs.psnr, inputSsim: inputs.ssim };
}

function scoresOf({ height, width, reference }: ValidationImage, data: Float32Array): Scores {
  return evaluate({ height, width, data: reference }, { height, width, data }, RANGE);
}

/** NaN where there is no image. */
function mean(scores: readonly Scores[]): Scores {
  const of = (values: readonly number[]) => meanAndDeviation(values)?.mean ?? NaN;
  return { psnr: of(scores.map(({ psnr }) => psnr)), ssim: of(scores.map(({ ssim }) => ssim)) };
}
