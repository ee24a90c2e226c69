import { variantsFor, type Variants } from '../kernels/variants.ts';
import { hashedParameter } from '../weights/hashedWeights.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { createEngine, type Engine } from './engine.ts';
import { DeviceError } from './errors.ts';
import { HALF_LIMIT, halfDifference } from './halfDifference.ts';
import { spread } from './spread.ts';

/** What storing a network's activations as float16 does on a device. */
export interface PrecisionFigures {
  /** Largest difference of results from those in float32, of images in [0, 1]; Infinity where float16 fails. */
  readonly difference: number;
  /** Of an image of 256², medians; Infinity where results differ too much for that to matter. */
  readonly milliseconds: { readonly f32: number; readonly f16: number };
}

/** Edge of the images that are timed: a fraction of a second on slow GPUs, and enough work for fast ones. */
const EDGE = 256;
/** A smaller gain is noise. */
const FASTER = 1.05;
const ROUNDS = 5;
const LEAST_ROUNDS = 3;
/** Rounds beyond the least end after this time (ms). */
const ENOUGH = 1000;
/** Waiting for the device may cost a few milliseconds, or 100 where it is polled: images are timed so many at a time. */
const LONG_ENOUGH = 100;
const MOST_IMAGES = 64;
/** A failure may be heard before the loss of the device that caused it: at most so much (ms). */
const LOSS_LAG = 100;

/** Whether figures speak for float16: results hardly differ, and they come sooner. */
export const speaksForHalf = ({ difference, milliseconds: { f32, f16 } }: PrecisionFigures): boolean =>
  difference <= HALF_LIMIT && f32 >= FASTER * f16;

/**
 * Compares float16 with float32 for the activations of this very network on this device: results of test images, and
 * where those agree, time. Where float16 fails in any way it is float32.
 *
 * @param cancelled asked between images; where it says so, the promise rejects
 * @throws DeviceError where the device is lost
 */
export async function choosePrecision(
  device: GPUDevice,
  weights: NetworkWeights,
  variants: Variants = variantsFor(device),
  cancelled: () => boolean = () => false,
): Promise<PrecisionFigures & { readonly half: boolean }> {
  const lost = device.lost.then(({ message, reason }) => {
    throw new DeviceError(`device: the GPU was lost while it was measured (${message || reason}); reload and try again`);
  });
  lost.catch(() => undefined); // heard where something waits for the device
  let stopped = false;
  const proceed = () => {
    stopped ||= cancelled();
    if (stopped) throw new Error('choosing the precision was cancelled');
  };
  const never = { difference: Infinity, milliseconds: { f32: Infinity, f16: Infinity } };
  const engines: Engine[] = [];
  try {
    proceed();
    const coarse = await Promise.race([halfDifference(device, weights, variants), lost]);
    // A device that is lost meanwhile looks like float16 that fails.
    if (coarse === Infinity) await lossOrNothing(lost);
    if (!(coarse <= HALF_LIMIT)) return { ...never, difference: coarse, half: false };
    const image = Float32Array.from(hashedParameter('image', [EDGE * EDGE], 0), (value) => 0.5 + 0.5 * value);
    const results: Float32Array[] = [];
    for (const half of [false, true]) {
      proceed();
      const engine = createEngine(device, weights, { variants, half });
      engines.push(engine);
      results.push(await Promise.race([engine.restore(image, EDGE, EDGE), lost]));
    }
    const difference = Math.max(coarse, largestDifference(results[0]!, results[1]!));
    if (difference > HALF_LIMIT) return { ...never, difference, half: false };
    const time = async (engine: Engine, images: number): Promise<number> => {
      proceed();
      const began = performance.now();
      for (let i = 0; i < images; i++) await engine.run(image, EDGE, EDGE);
      await Promise.race([device.queue.onSubmittedWorkDone(), lost]);
      return (performance.now() - began) / images;
    };
    const [f32, f16] = await takeTurns(engines, time);
    const figures = { difference, milliseconds: { f32: f32!, f16: f16! } };
    return { ...figures, half: speaksForHalf(figures) };
  } catch (error) {
    await lossOrNothing(lost);
    if (stopped) throw error;
    return { ...never, half: false };
  } finally {
    for (const engine of engines) engine.dispose();
  }
}

/** Median milliseconds an image, by engine. They take turns, so that other load hits both alike. */
async function takeTurns(
  engines: readonly Engine[], time: (engine: Engine, images: number) => Promise<number>,
): Promise<number[]> {
  let images = 1;
  // This warms up, too.
  for (const engine of engines) {
    while (images < MOST_IMAGES && images * (await time(engine, images)) < LONG_ENOUGH) images *= 2;
  }
  const samples: number[][] = engines.map(() => []);
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= LEAST_ROUNDS && performance.now() - began > ENOUGH) break;
    for (const [i, engine] of engines.entries()) samples[i]!.push(await time(engine, images));
  }
  return samples.map((all) => spread(all).median);
}

const lossOrNothing = (lost: Promise<never>): Promise<void> =>
  Promise.race([lost, new Promise<void>((resolve) => setTimeout(resolve, LOSS_LAG))]);

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
