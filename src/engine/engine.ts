import type { View } from '../kernels/kernel.ts';
import { pixelsOf } from '../kernels/kernel.ts';
import type { Variants } from '../kernels/variants.ts';
import { variantsFor } from '../kernels/variants.ts';
import { ShapeError } from '../model/ops.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { WeightsError } from '../weights/errors.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { DeviceError } from './errors.ts';
import type { Parameter } from './graph.ts';
import { lower } from './lower.ts';
import { networkGraph } from './networkGraph.ts';
import type { Plan } from './plan.ts';
import { compile, encode, WeightBuffers } from './plan.ts';

/** Restore-RWKV on a WebGPU device: recorded once per size, then replayed. */
export interface Engine {
  /** Records, compiles and allocates for a size, so that the first `run` of it does not wait. */
  prepare(height: number, width: number): Promise<Plan>;
  /**
   * Submits one image and returns without waiting for it.
   *
   * @param image [height · width] in [0, 1], height and width multiples of 8
   */
  run(image: Float32Array, height: number, width: number): Promise<Submitted>;
  /** As `run`, and reads the result back. */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  dispose(): void;
}

/** An image on its way through the device. */
export interface Submitted {
  /** f32 [height · width], for showing without a read-back; valid until the next run. */
  readonly buffer: GPUBuffer;
  /** The result in memory; to be asked for before the next run. */
  read(): Promise<Float32Array>;
}

/** Plans hold their activations: a few sizes are kept warm, the one unused longest goes first. */
const WARM_PLANS = 2;

/** @throws DeviceError, WeightsError and ShapeError as sentences, from its methods too */
export function createEngine(device: GPUDevice, weights: NetworkWeights, variants: Variants = variantsFor(device)): Engine {
  const buffers = new WeightBuffers(device);
  const lookup = lookupIn(weights.tensors);
  const plans = new Map<string, Promise<Plan>>();

  function build(height: number, width: number): Promise<Plan> {
    if (height % 8 !== 0 || width % 8 !== 0 || height < 8 || width < 8) {
      throw new ShapeError(`engine: the image is ${height}×${width}; pad height and width to multiples of 8`);
    }
    const output = networkGraph(weights.config, (path) => lookup(path).shape, height, width);
    return compile(device, lower(output, lookup, variants), buffers);
  }

  async function prepare(height: number, width: number): Promise<Plan> {
    const key = `${height}×${width}`;
    const plan = plans.get(key) ?? build(height, width);
    plans.delete(key);
    plans.set(key, plan); // now the most recent
    plan.catch(() => plans.delete(key));
    for (const [oldest, old] of plans) {
      if (plans.size <= WARM_PLANS) break;
      plans.delete(oldest);
      old.then((unused) => unused.destroy(), () => undefined);
    }
    return plan;
  }

  async function run(image: Float32Array, height: number, width: number): Promise<Submitted> {
    if (image.length !== height * width) {
      throw new ShapeError(`engine: ${image.length} values for an image of ${height}×${width}`);
    }
    const plan = await prepare(height, width);
    device.queue.writeBuffer(plan.inputs.get('image')!.buffer, 0, image as Float32Array<ArrayBuffer>);
    const encoder = device.createCommandEncoder();
    encode(encoder, plan);
    device.queue.submit([encoder.finish()]);
    return { buffer: plan.output.buffer, read: async () => refuseNonFinite(await readBack(device, plan.output)) };
  }

  return {
    prepare,
    run,
    restore: async (image, height, width) => (await run(image, height, width)).read(),
    dispose() {
      for (const plan of plans.values()) plan.then((unused) => unused.destroy(), () => undefined);
      plans.clear();
      buffers.destroy();
    },
  };
}

/** Finite weights on a finite image give finite values: anything else is the device's doing, and must not be saved. */
function refuseNonFinite(result: Float32Array): Float32Array {
  const broken = result.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return result;
  throw new DeviceError(
    `device: the result holds ${result[broken]} at pixel ${broken}, expected finite numbers; update the graphics driver ` +
    'or use the WebAssembly fallback',
  );
}

/** Weights as the recorder wants them: path and shape. */
export function parameterIn(tensors: ReadonlyMap<string, StoredTensor>): (path: string) => Parameter {
  const lookup = lookupIn(tensors);
  return (path) => ({ op: 'parameter', path, shape: lookup(path).shape });
}

export function lookupIn(tensors: ReadonlyMap<string, StoredTensor>): (path: string) => StoredTensor {
  return (path) => {
    const tensor = tensors.get(path);
    if (!tensor) throw new WeightsError(`weights: ${path} is missing; the file does not hold a whole Restore-RWKV`);
    return tensor;
  };
}

/**
 * Waits for the device and copies an activation to memory, without padding channels.
 *
 * @throws DeviceError where the device was lost meanwhile
 */
export async function readBack(device: GPUDevice, view: View<GPUBuffer>): Promise<Float32Array> {
  const pixels = pixelsOf(view);
  const staging = device.createBuffer({ size: 4 * pixels * view.stride, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(view.buffer, 0, staging, 0, staging.size);
  device.queue.submit([encoder.finish()]);
  try {
    await staging.mapAsync(GPUMapMode.READ);
  } catch (cause) {
    throw new DeviceError('device: the GPU was lost while it restored; reload the page and try again', { cause });
  }
  const floats = new Float32Array(staging.getMappedRange());
  const result = new Float32Array(pixels * view.channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < view.channels; c++) result[pixel * view.channels + c] = floats[view.offset + pixel * view.stride + c]!;
  }
  staging.destroy();
  return result;
}
