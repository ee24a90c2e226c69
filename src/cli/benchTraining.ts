import * as tf from '@tensorflow/tfjs';
import type { TrainingReport, TrainingTiming } from '../engine/deviceReport.ts';
import { trainingMarkdown } from '../engine/deviceReportMarkdown.ts';
import { spread } from '../engine/spread.ts';
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
import { machineName, time } from './timing.ts';

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

export interface TrainingBenchOptions {
  readonly batch: number;
  readonly crop: number;
  readonly device: 'gpu' | 'software' | undefined;
}

/** A report with what the JSON of `bench --training` alone says besides. */
interface MeasuredTraining extends TrainingReport {
  readonly adapter: string;
  readonly cases: readonly (TrainingTiming & { readonly losses: readonly number[] })[];
}

/** @throws UsageError for sizes that cannot be, and devices without WebGPU */
export function trainingOptions(
  options: { readonly batch?: string; readonly crop?: string; readonly device?: string },
): TrainingBenchOptions {
  const batch = Number(options.batch ?? 2);
  const crop = Number(options.crop ?? 64);
  if (!Number.isInteger(batch) || batch < 1 || batch > 64) {
    throw new UsageError(`bench: --batch is "${options.batch}"; it can be a whole number from 1 to 64`);
  }
  if (!Number.isInteger(crop) || crop < 8 || crop % 8 !== 0 || crop > 1024) {
    throw new UsageError(`bench: --crop is "${options.crop}"; it can be a multiple of 8 up to 1024`);
  }
  const device = deviceOption(options.device);
  if (device === 'wasm' || device === 'cpu') {
    throw new UsageError('bench: --training compares kernels on WebGPU; --device can be gpu or software');
  }
  return { batch, crop, device };
}

/**
 * One training step of the light network, forward, backward and Adam, with our kernels and with stock tfjs operators on
 * the same device and in the same run. Seeded weights and images.
 *
 * @throws DeviceError where there is no WebGPU
 */
export async function measureTraining({ batch, crop, device }: TrainingBenchOptions): Promise<MeasuredTraining> {
  const found = await openWebGpu(device);
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
    name, peer: i > 0, first, min: Math.min(...samples), ...spread(samples), losses, peakBytes: peaks[i]!,
  }));
  return { batch, crop, adapter: deviceName(found), cases };
}

/** `bench --training`: nothing but the step. */
export async function benchTraining(
  options: {
    readonly json?: boolean; readonly markdown?: boolean; readonly batch?: string; readonly crop?: string;
    readonly device?: string;
  },
): Promise<number> {
  const measured = await measureTraining(trainingOptions(options));
  const { batch, crop, adapter, cases } = measured;
  if (options.json) {
    const ratio = ratioOf(cases);
    console.log(JSON.stringify({
      training: true, variant: 'light', batch, crop, machine: machineName(), adapter, rounds: ROUNDS, cases, ratio,
    }));
  } else if (options.markdown) {
    console.log(trainingMarkdown(measured));
  } else {
    const [head, ...lines] = trainingText(measured);
    console.log([`${head}; ${machineName()}`, `adapter: ${adapter}`, ...lines].join('\n'));
  }
  return 0;
}

/** The figures of a step for a terminal. */
export function trainingText({ batch, crop, cases }: TrainingReport | MeasuredTraining): string[] {
  return [
    `a training step of light, batch ${batch}, crops of ${crop}×${crop}`,
    ...cases.map((one) => {
      const { name, first, min, median, deviation, peakBytes } = one;
      const loss = 'losses' in one ? `; loss ${one.losses.at(-1)!.toFixed(6)}` : '';
      return (
        `${name.padEnd(12)} median ${median.toFixed(0)} ± ${deviation.toFixed(0)} ms, min ${min.toFixed(0)}, ` +
        `first ${first.toFixed(0)}; peak GPU memory ${(peakBytes / 2 ** 20).toFixed(0)} MiB${loss}`
      );
    }),
    `our kernels / stock tfjs: ${ratioOf(cases).toFixed(3)}`,
  ];
}

const ratioOf = (cases: readonly TrainingTiming[]): number => cases[0]!.median / cases[1]!.median;

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
