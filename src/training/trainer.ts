import * as tf from '@tensorflow/tfjs';
import type { Config } from '../model/config.ts';
import { ShapeError } from '../model/ops.ts';
import { fromTrainable, toTrainable } from '../weights/trainableWeights.ts';
import { elementCount, type StateDict } from '../weights/tensor.ts';
import { adamStep, type AdamState } from './adam.ts';
import { digestOf, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import { flatten, isTrained, leavesOf, unflatten } from './flatParameters.ts';
import { createObjective } from './objective.ts';
import { checkOptions } from './options.ts';
import { createSampler } from './sampler.ts';
import { cosineRate } from './schedule.ts';
import { compileAhead } from './tfjsGpu.ts';
import { trainingOps } from './tfjsTrainingOps.ts';
import { TrainingError, type Trainer, type TrainingData, type TrainingOptions } from './training.ts';

export interface TrainerSettings {
  /** Where training begins: weights under the public names, multi-branch Omni-Shift. */
  readonly stateDict: Readonly<StateDict>;
  readonly config: Config;
  readonly options: TrainingOptions;
  readonly data: TrainingData;
  /** Text that goes into every checkpoint and comes back by `readCheckpoint`: what exports will say of the run. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A training run from its first step, on tfjs's current backend.
 *
 * @throws TrainingError where the options or the images make no run, WeightsError where a parameter is missing
 */
export function createTrainer({ stateDict, config, options, data, metadata = {} }: TrainerSettings): Trainer {
  return trainerFrom({ stateDict, config, options, metadata, step: 0, moments: null, digest: digestOf(data) }, data);
}

/**
 * Goes on where a checkpoint was made, with the same losses as a run that was never interrupted (on the same backend).
 *
 * @param data the images of the run; those to validate with may differ
 * @throws TrainingError where the file is no checkpoint of a run or the images are others, WeightsError where it is
 *   damaged
 */
export function resumeTrainer(bytes: Uint8Array, data: TrainingData): Trainer {
  const checkpoint = readCheckpoint(bytes);
  if (checkpoint.digest !== digestOf(data)) {
    throw new TrainingError(
      'training: the checkpoint was made with other images than these; open the same images in the same order to go on',
    );
  }
  return trainerFrom(checkpoint, data);
}

function trainerFrom(start: Checkpoint, data: TrainingData): Trainer {
  const { config, options, metadata, digest } = start;
  checkOptions(options);
  const sample = createSampler(data.training, options);
  const backend = tf.getBackend();
  const all = toTrainable(start.stateDict, config);
  const part = (trained: boolean) => new Map([...all].filter(([path]) => isTrained(path, options.parts) === trained));
  const [trained, frozen] = [part(true), part(false)];
  const leaves = leavesOf(trained);
  const objective = createObjective(
    { config, leaves, frozen, recompute: options.recompute ?? false }, trainingOps(),
  );
  const moments = (stateDict: StateDict | undefined) =>
    stateDict ? flatten(toTrainablePart(stateDict, start), leaves) : new Float32Array(lengthOf(leaves));
  let adam: AdamState = {
    parameters: tf.tensor1d(flatten(trained, leaves)),
    first: tf.tensor1d(moments(start.moments?.first)),
    second: tf.tensor1d(moments(start.moments?.second)),
  };
  let step = start.step;
  // Shaders that are compiled one by one, as they are needed, would stall the first step on a GPU.
  let compiled = backend !== 'webgpu';
  const useBackend = async () => {
    if (tf.getBackend() !== backend) await tf.setBackend(backend);
  };
  const named = async (flat: tf.Tensor) => unflatten((await flat.data()) as Float32Array, leaves);
  const weights = async () => {
    await useBackend();
    return fromTrainable(new Map([...frozen, ...await named(adam.parameters)]), config);
  };

  return {
    config,
    options,
    get step() {
      return step;
    },

    async next() {
      if (step >= options.steps) {
        throw new TrainingError(`training: all ${options.steps} steps are done; begin a new run to train on`);
      }
      await useBackend();
      const start = performance.now();
      const rate = cosineRate(step, options);
      const { inputs, references } = sample(step);
      const shape: [number, number, number, number] = [options.batch, options.crop, options.crop, 1];
      const compute = () => tf.tidy(() => {
        const { loss, gradient } = objective.lossAndGradient(
          adam.parameters, tf.tensor4d(inputs, shape), tf.tensor4d(references, shape),
        );
        const norm = euclideanNorm(gradient);
        const clipped = options.clip === null ? gradient : tf.mul(gradient, clipping(norm, options.clip));
        return { figures: tf.stack([loss, norm]), moved: { ...adamStep(adam, clipped, rate, step + 1) } };
      });
      // What goes wrong here goes wrong again, and is told, where the step is computed.
      if (!compiled) await compileAhead(compute).catch(() => undefined);
      compiled = true;
      const { figures, moved } = computing(step + 1, compute);
      const [loss, gradientNorm] = await read(figures, step + 1).catch((error: unknown) => {
        tf.dispose(moved);
        throw error;
      });
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
        tf.dispose(moved);
        throw new TrainingError(
          `training: at step ${step + 1} the loss is ${loss} and the gradients' norm ${gradientNorm}, expected finite ` +
          `numbers, so it stopped with the weights of step ${step}; take a lower learning rate or clip the gradients`,
        );
      }
      tf.dispose({ ...adam });
      adam = moved;
      step++;
      return { step, loss, rate, gradientNorm, milliseconds: performance.now() - start };
    },

    async restore(image, height, width) {
      await useBackend();
      if (image.length !== height * width || image.length === 0) {
        throw new ShapeError(
          `training: found ${image.length} values for ${height} × ${width} pixels, expected ${height * width}`,
        );
      }
      const restored = tf.tidy(() => {
        const [h, w] = [height, width].map((size) => Math.ceil(size / 8) * 8);
        const x = tf.tensor4d(padded(image, height, width, h, w), [1, h, w, 1]);
        return tf.slice(objective.restore(adam.parameters, x), [0, 0, 0, 0], [1, height, width, 1]);
      });
      return read(restored, step);
    },

    weights,

    async checkpoint() {
      const stateDict = await weights();
      const [first, second] = [await named(adam.first), await named(adam.second)]
        .map((tensors) => fromTrainable(tensors, config));
      return writeCheckpoint({ stateDict, config, options, metadata, step, moments: { first, second }, digest });
    },

    dispose() {
      objective.dispose();
      tf.dispose({ ...adam });
    },
  };
}

/** Moments are kept for trained parameters only: the others are filled in for the conversion and dropped after it. */
function toTrainablePart(moments: StateDict, { stateDict, config }: Checkpoint) {
  const whole: StateDict = new Map([...stateDict].map(([name, { shape }]) =>
    [name, moments.get(name) ?? { shape, data: new Float32Array(elementCount(shape)) }]));
  return toTrainable(whole, config);
}

const lengthOf = (leaves: readonly { readonly size: number }[]) => leaves.reduce((sum, { size }) => sum + size, 0);

/** Summed in about √n sums of √n squares: one running sum of a million float32 would be wrong by some 1e-4. */
function euclideanNorm(vector: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const squares = tf.square(vector);
    const edge = Math.floor(Math.sqrt(vector.size));
    const square = tf.reshape(tf.slice(squares, 0, edge * edge), [edge, edge]);
    const rest = tf.slice(squares, edge * edge);
    return tf.sqrt(tf.add(tf.sum(tf.sum(square, 1)), tf.sum(rest)));
  });
}

/** What gradients are multiplied by so that their norm is at most `limit`. */
const clipping = (norm: tf.Tensor, limit: number): tf.Tensor => tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);

/** Reads and disposes. A device that is lost refuses here at the latest. */
async function read(tensor: tf.Tensor, step: number): Promise<Float32Array> {
  try {
    return (await tensor.data()) as Float32Array;
  } catch (error) {
    throw notComputed(error, step);
  } finally {
    tensor.dispose();
  }
}

function computing<Result>(step: number, compute: () => Result): Result {
  try {
    return compute();
  } catch (error) {
    throw notComputed(error, step);
  }
}

/** Memory that is not there, or a device that was lost: one sentence, with tfjs's own reason where it is one. */
function notComputed(error: unknown, step: number): TrainingError {
  const { message } = error instanceof Error && !(error instanceof TypeError) ? error : { message: '' };
  const reason = message.split('\n', 1)[0].replace(/\.$/, '');
  return new TrainingError(
    `training: the device could not compute step ${step}${reason && ` (${reason})`}; go on from the last checkpoint, or ` +
    'begin with smaller or fewer crops if memory was short',
  );
}

/** An image continued to h × w by its last row and column. */
function padded(image: Float32Array, height: number, width: number, h: number, w: number): Float32Array {
  if (h === height && w === width) return image;
  const out = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < w; x++) out[y * w + x] = image[row + Math.min(x, width - 1)];
  }
  return out;
}
