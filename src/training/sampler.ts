import { hashedUniform } from '../weights/seededHash.ts';
import { TrainingError, type TrainingImage, type TrainingOptions } from './training.ts';

/** Crops of a step, each [crop, crop], one after another. */
export interface Batch {
  readonly inputs: Float32Array;
  readonly references: Float32Array;
}

/** Positions that are tried before a crop of nothing but background is taken. */
const ATTEMPTS = 5;

/** What a crop's random numbers are for; a position has two for each attempt. */
const DRAWS = { image: 0, transpose: 1, flipRows: 2, flipColumns: 3, realisation: 4, gain: 5, position: 6 } as const;

type Sampling = Pick<TrainingOptions, 'seed' | 'batch' | 'crop'>;

/**
 * Draws crops as a pure function of seed, step and place in the batch, so that a run that goes on from a checkpoint
 * sees what it would have seen: an image by its weight, a position (another one, up to four times, where the reference
 * is constant there: background), one of the square's eight orientations, a realisation of the noise, and a gain,
 * after which both are clamped to [0, 1] as inputs are. An image that is smaller than the crop is continued by
 * repeating its last row and column.
 *
 * @throws TrainingError where there is no image, or one that is not as large as it says
 */
export function createSampler(images: readonly TrainingImage[], options: Sampling): (step: number) => Batch {
  const { seed, batch, crop } = options;
  const choose = byWeight(images);
  return (step) => {
    const inputs = new Float32Array(batch * crop * crop);
    const references = new Float32Array(batch * crop * crop);
    for (let index = 0; index < batch; index++) {
      const uniform = (draw: number) => hashedUniform(seed, step, index, draw);
      const whole = (draw: number, count: number) => Math.min(Math.floor(uniform(draw) * count), count - 1);
      const image = choose(uniform(DRAWS.image));
      const { reference } = image;
      const input = image.input(whole(DRAWS.realisation, image.realisations));
      checkSize(image, reference, input);
      const [low, high] = image.gain ?? [1, 1];
      const window: Window = {
        crop, ...place(image, reference, crop, whole),
        transpose: uniform(DRAWS.transpose) < 0.5,
        flipRows: uniform(DRAWS.flipRows) < 0.5,
        flipColumns: uniform(DRAWS.flipColumns) < 0.5,
        gain: low + (high - low) * uniform(DRAWS.gain),
      };
      cut(reference, image, window, references.subarray(index * crop * crop));
      cut(input, image, window, inputs.subarray(index * crop * crop));
    }
    return { inputs, references };
  };
}

/** Gives the image that a uniform number falls on, each as wide as its weight. */
function byWeight(images: readonly TrainingImage[]): (uniform: number) => TrainingImage {
  const ends: number[] = [];
  let sum = 0;
  for (const { name, weight } of images) {
    if (!(weight >= 0 && weight < Infinity)) {
      throw new TrainingError(`training: ${name} has a weight of ${weight}, expected a number from 0`);
    }
    ends.push(sum += weight);
  }
  if (!(sum > 0)) throw new TrainingError('training: there is no image to learn from; add images that are not empty');
  return (uniform) => {
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (uniform * sum < ends[middle]) high = middle;
      else low = middle + 1;
    }
    return images[low];
  };
}

interface Size {
  readonly height: number;
  readonly width: number;
}

interface Place {
  readonly top: number;
  readonly left: number;
}

interface Window extends Place {
  readonly crop: number;
  readonly transpose: boolean;
  readonly flipRows: boolean;
  readonly flipColumns: boolean;
  readonly gain: number;
}

function checkSize({ name, height, width }: TrainingImage, reference: Float32Array, input: Float32Array): void {
  const found = [reference, input].find(({ length }) => length !== height * width || length === 0);
  if (!found) return;
  throw new TrainingError(
    `training: ${name} has ${found.length} values for ${height} × ${width} pixels; open the image again`,
  );
}

function place(size: Size, reference: Float32Array, crop: number, whole: (draw: number, count: number) => number): Place {
  let found: Place = { top: 0, left: 0 };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    found = {
      top: whole(DRAWS.position + 2 * attempt, Math.max(1, size.height - crop + 1)),
      left: whole(DRAWS.position + 2 * attempt + 1, Math.max(1, size.width - crop + 1)),
    };
    if (!isConstant(reference, size, found, crop)) break;
  }
  return found;
}

function isConstant(image: Float32Array, { height, width }: Size, { top, left }: Place, crop: number): boolean {
  const first = image[top * width + left];
  for (let y = top; y < Math.min(top + crop, height); y++) {
    for (let x = left; x < Math.min(left + crop, width); x++) if (image[y * width + x] !== first) return false;
  }
  return true;
}

/** Writes the window of an image [height, width] to out [crop, crop]. */
function cut(image: Float32Array, { height, width }: Size, window: Window, out: Float32Array): void {
  const { top, left, crop, transpose, flipRows, flipColumns, gain } = window;
  for (let row = 0, to = 0; row < crop; row++) {
    for (let column = 0; column < crop; column++, to++) {
      const across = transpose ? row : column;
      const down = transpose ? column : row;
      const y = Math.min(top + (flipRows ? crop - 1 - down : down), height - 1);
      const x = Math.min(left + (flipColumns ? crop - 1 - across : across), width - 1);
      out[to] = Math.min(Math.max(image[y * width + x] * gain, 0), 1);
    }
  }
}
