import * as tf from '@tensorflow/tfjs';
import { LIGHT } from '../model/config.ts';
import { adamStep, type AdamState } from '../training/adam.ts';
import { flatten, leavesOf } from '../training/flatParameters.ts';
import { createObjective } from '../training/objective.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import { gpuTrainingOps } from '../training/tfjsGpuOps.ts';
import { stockTrainingOps, type TrainingOps } from '../training/tfjsTrainingOps.ts';
import { DEFAULT_OPTIONS } from '../training/training.ts';
import { hashedParameter, hashedStateDict } from '../weights/hashedWeights.ts';
import { toTrainable } from '../weights/trainableWeights.ts';
import { deviceName, deviceOption, openWebGpu, type WebGpuDevice } from './devices.ts';
import { UsageError } from './errors.ts';
import { machineName, spread, time } from './timing.ts';

/** A training step by one set of operators, on a tfjs backend of its own so that its memory can be told apart. */
interface Contender {
  readonly name: string;
  /** Takes one step and gives its loss. */
  run(): Promise<number>;
  /** What tfjs's buffer manager has allocated; it frees nothing, so the most that was needed. */
  peakBytes(): Promise<number>;
}

/** Rounds after two warm-ups; contenders take turns, so that other load on the machine hits all alike. */
const ROUNDS = 3;

/**
 * One training step of the light network, forward, backward and Adam, with our kernels and with stock tfjs operators on
 * the same device and in the same run. Seeded weights and images.
 *
 * @throws UsageError for sizes that cannot be, DeviceError where there is no WebGPU
 */
export async function benchTraining(
  options: { readonly json?: boolean; readonly batch?: string; readonly crop?: string; readonly device?: string },
): Promise<number> {
  const batch = Number(options.batch ?? 2);
  const crop = Number(options.crop ?? 64);
  if (!Number.isInteger(batch) || batch < 1 || batch > 64) {
    throw new UsageError(`bench: --batch is "${options.batch}"; it can be a whole number from 1 to 64`);
  }
  if (!Number.isInteger(crop) || crop < 8 || crop % 8 !== 0 || crop > 1024) {
    throw new UsageError(`bench: --crop is "${options.crop}"; it can be a multiple of 8 up to 1024`);
  }
  const choice = deviceOption(options.device);
  if (choice === 'wasm' || choice === 'cpu') {
    throw new UsageError('bench: --training compares kernels on WebGPU; --device can be gpu or software');
  }
  const found = await openWebGpu(choice);
  const contenders = await openContenders(found, batch, crop);
  const results = contenders.map(({ name }) => ({ name, first: 0, samples: [] as number[], losses: [] as number[] }));
  for (const [i, { run }] of contenders.entries()) {
    results[i]!.first = await time(run);
    await run();
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { run }] of contenders.entries()) {
      results[i]!.samples.push(await time(async () => results[i]!.losses.push(await run())));
    }
  }
  const peaks: number[] = [];
  for (const { peakBytes } of contenders) peaks.push(await peakBytes());
  const cases = results.map(({ name, first, samples, losses }, i) => ({
    name, first, min: Math.min(...samples), ...spread(samples), losses, peakBytes: peaks[i]!,
  }));
  const ratio = cases[0]!.median / cases[1]!.median;
  const adapter = deviceName(found);
  if (options.json) {
    console.log(JSON.stringify({
      training: true, variant: 'light', batch, crop, machine: machineName(), adapter, rounds: ROUNDS, cases, ratio,
    }));
    return 0;
  }
  console.log(`a training step of light, batch ${batch}, crops of ${crop}×${crop}; ${machineName()}`);
  console.log(`adapter: ${adapter}`);
  for (const { name, first, min, median, deviation, peakBytes, losses } of cases) {
    console.log(
      `${name.padEnd(12)} median ${median.toFixed(0)} ± ${deviation.toFixed(0)} ms, min ${min.toFixed(0)}, ` +
      `first ${first.toFixed(0)}; peak GPU memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB; loss ${losses.at(-1)!.toFixed(6)}`,
    );
  }
  console.log(`our kernels / stock tfjs: ${ratio.toFixed(3)}`);
  return 0;
}

async function openContenders({ device, adapter }: WebGpuDevice, batch: number, crop: number): Promise<Contender[]> {
  await useTfjsBackend('webgpu', { device, adapterInfo: adapter.info });
  const stock = 'webgpu-stock';
  tf.copyRegisteredKernels('webgpu', stock);
  tf.registerBackend(stock, tf.findBackendFactory('webgpu'));
  return [
    await contender('our kernels', 'webgpu', gpuTrainingOps, batch, crop),
    await contender('stock tfjs', stock, stockTrainingOps, batch, crop),
  ];
}

async function contender(
  name: string, backend: string, ops: TrainingOps, batch: number, crop: number,
): Promise<Contender> {
  await tf.setBackend(backend);
  const weights = toTrainable(hashedStateDict(LIGHT, 0), LIGHT);
  const leaves = leavesOf(weights);
  const objective = createObjective({ config: LIGHT, leaves, frozen: new Map(), recompute: false }, ops);
  const shape: [number, number, number, number] = [batch, crop, crop, 1];
  const image = (seed: number) =>
    tf.tensor4d(Float32Array.from(hashedParameter('image', shape, seed), (value) => 0.5 + 0.5 * value), shape);
  const [inputs, references] = [image(0), image(1)];
  const start = flatten(weights, leaves);
  let adam: AdamState = {
    parameters: tf.tensor1d(start), first: tf.zeros([start.length]), second: tf.zeros([start.length]),
  };
  let step = 0;
  return {
    name,
    async run() {
      await tf.setBackend(backend);
      step++;
      const { loss, moved } = tf.tidy(() => {
        const { loss, gradient } = objective.lossAndGradient(adam.parameters, inputs, references);
        return { loss, moved: { ...adamStep(adam, gradient, DEFAULT_OPTIONS.rate, step) } };
      });
      tf.dispose({ ...adam });
      adam = moved;
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    async peakBytes() {
      await tf.setBackend(backend);
      return (tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;
    },
  };
}
