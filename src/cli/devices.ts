import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { requestDevice } from '../engine/device.ts';
import { createEngine } from '../engine/engine.ts';
import { halfDifference, HALF_LIMIT } from '../engine/halfDifference.ts';
import { DeviceError } from '../engine/errors.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { float64Image, type Float64Image } from '../kernels/float64Image.ts';
import { referenceOps } from '../kernels/reference.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import { createTfjsNetwork } from '../training/tfjsNetwork.ts';
import { nodeWasmPaths } from '../training/tfjsWasmNode.ts';
import { startNodeHelper } from '../training/wasm/nodeHelpers.ts';
import { createWasmNetwork } from '../training/wasm/wasmNetwork.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { oneOf } from './arguments.ts';
import type { Variants } from '../kernels/variants.ts';
import { note } from './terminal.ts';
import { tunedVariants } from './tuning.ts';

export type DeviceChoice = 'gpu' | 'software' | 'wasm' | 'cpu';
export type Precision = 'f32' | 'f16';

export interface RestorerOptions {
  /** Bytes of activations that an image may take, see `EngineOptions`. */
  readonly memory?: number | undefined;
  /** Of activations on the GPU, f32 when left out; f16 is checked with the weights first. */
  readonly precision?: Precision | undefined;
}
export type WebGpuDevice = Awaited<ReturnType<typeof requestDevice>>;

/** The network on some device, whichever interpreter runs it. */
export interface Restorer {
  /** For people: what computes. */
  readonly name: string;
  /** In how many parts an image of a size is computed; absent where it is always one. */
  tiles?(height: number, width: number): Promise<number>;
  /** image [H · W] in [0, 1], H and W multiples of 8 */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  dispose(): void;
}

export const precisionOption = (value: string | undefined): Precision | undefined =>
  oneOf('precision', value, ['f32', 'f16'] as const);

export const deviceOption = (value: string | undefined): DeviceChoice | undefined =>
  oneOf('device', value, ['gpu', 'software', 'wasm', 'cpu'] as const);

/**
 * The network on the chosen device, which is said on stderr; without a choice a GPU, else wasm, which is faster than
 * WebGPU in software. A GPU is tuned when it is first used, see `tunedVariants`.
 *
 * @throws DeviceError where the chosen device is not there
 */
export async function openRestorer(
  weights: NetworkWeights, choice: DeviceChoice | undefined, options: RestorerOptions = {},
): Promise<Restorer> {
  const restorer = await open(weights, choice, options);
  process.stderr.write(`device: ${restorer.name}\n`);
  return restorer;
}

async function open(
  weights: NetworkWeights, choice: DeviceChoice | undefined, { memory, precision }: RestorerOptions,
): Promise<Restorer> {
  if (choice === 'cpu') return referenceRestorer(weights);
  if (choice === 'wasm') return wasmRestorer(weights, memory);
  const found = await openWebGpu(choice ?? 'gpu').catch((error: unknown) => {
    if (choice) throw error;
    return null;
  });
  if (!found) return wasmRestorer(weights, memory);
  const variants = await tunedVariants(found);
  const half = precision === 'f16' && await halfIsRight(found, weights, variants);
  const engine = createEngine(found.device, weights, { memory, half, variants });
  return {
    name: `${deviceName(found)}${half ? ', f16' : ''}`,
    tiles: async (height, width) => (await engine.prepare(height, width)).tiles.length,
    restore: (image, height, width) => engine.restore(image, height, width),
    dispose: () => engine.dispose(),
  };
}

/** Whether float16 gives nearly the same as float32 with these weights; what was found is said on stderr. */
async function halfIsRight({ device }: WebGpuDevice, weights: NetworkWeights, variants?: Variants): Promise<boolean> {
  const difference = await halfDifference(device, weights, variants);
  const [found, limit] = [difference.toExponential(1), HALF_LIMIT.toExponential(0)];
  if (difference <= HALF_LIMIT) {
    note(`f16 differs from f32 by ${found} at most on a test image, within the limit of ${limit}`);
    return true;
  }
  note(`f16 differs from f32 by ${found} on a test image, more than ${limit}: f32 is used`);
  return false;
}

/** "NVIDIA H100", "llvmpipe (software rendering)" */
export function deviceName({ description }: Pick<WebGpuDevice, 'description'>): string {
  return description.software ? `${description.name} (software rendering)` : description.name;
}

/**
 * A WebGPU device in Node.
 *
 * @throws DeviceError where there is none, or none of the chosen kind
 */
export async function openWebGpu(choice: DeviceChoice | undefined): Promise<WebGpuDevice> {
  // Read by the Vulkan loader when the instance is created: real drivers are not even opened.
  if (choice === 'software') process.env.VK_LOADER_DRIVERS_SELECT = '*lvp*,*swiftshader*';
  const found = await requestDevice(await installNodeWebGpu());
  if (choice === 'gpu' && found.description.software) {
    found.device.destroy();
    throw new DeviceError(
      `device: the only WebGPU adapter is ${deviceName(found)}, a GPU was asked for; install its driver or use ` +
      '--device software',
    );
  }
  if (choice === 'software' && !found.description.software) {
    found.device.destroy();
    throw new DeviceError(
      `device: the WebGPU adapter is ${found.description.name}, software was asked for; install mesa-vulkan-drivers`,
    );
  }
  return found;
}

/** Where tfjs's wasm binaries are: beside the bundled command line, else in node_modules. */
export function wasmPaths(): string {
  const beside = existsSync(join(import.meta.dirname, 'tfjs-backend-wasm-simd.wasm'));
  return nodeWasmPaths(beside ? import.meta.dirname : undefined);
}

async function wasmRestorer(weights: NetworkWeights, memory?: number): Promise<Restorer> {
  const network = await createWasmNetwork(weights, { threads: availableParallelism(), startHelper: startNodeHelper, memory });
  if (!network) return tfjsRestorer(weights);
  return {
    name: `WebAssembly on the processor, ${threadsText(network.threads)}`,
    tiles: async (height, width) => network.tiles(height, width),
    restore: (image, height, width) => network.restore(image, height, width),
    dispose: () => network.dispose(),
  };
}

/** "2 threads" */
export const threadsText = (threads: number): string => (threads === 1 ? 'one thread' : `${threads} threads`);

/** For processors without the SIMD that our own kernels need. */
async function tfjsRestorer(weights: NetworkWeights): Promise<Restorer> {
  await useTfjsBackend('wasm', { wasmPaths: wasmPaths() });
  const network = createTfjsNetwork(weights);
  return {
    name: 'WebAssembly on the processor, one thread',
    restore: (image, height, width) => network.restore(image, height, width),
    dispose: () => network.dispose(),
  };
}

function referenceRestorer({ config, tensors }: NetworkWeights): Restorer {
  const parameters = new Map<string, Float64Image>();
  for (const [path, { shape, data }] of tensors) parameters.set(path, float64Image(shape, data));
  const lookup = (path: string) => {
    const found = parameters.get(path);
    if (!found) throw new DeviceError(`reference: the parameter ${path} is missing; load weights of this configuration`);
    return found;
  };
  return {
    name: 'float64 reference on the processor',
    restore: (image, height, width) => {
      const y = restoreRwkv(referenceOps, lookup, config, float64Image([1, height, width, 1], image));
      return Promise.resolve(Float32Array.from(y.data));
    },
    dispose: () => parameters.clear(),
  };
}
