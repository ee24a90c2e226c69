import type { Precision, View } from '../kernels/kernel.ts';
import { bytesEach, pixelsOf } from '../kernels/kernel.ts';
import type { Variants } from '../kernels/variants.ts';
import { variantsFor } from '../kernels/variants.ts';
import { EDGE_MULTIPLE } from '../model/config.ts';
import { ShapeError } from '../model/ops.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { widenHalf } from '../weights/elements.ts';
import { WeightsError } from '../weights/errors.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { assignBuffers } from './buffers.ts';
import { DeviceError, MemoryError } from './errors.ts';
import type { Parameter } from './graph.ts';
import { fusionFor } from './fusionFor.ts';
import { lower, type Lowered } from './lower.ts';
import { networkGraph } from './networkGraph.ts';
import type { Plan } from './plan.ts';
import { bytesOf, compile, encode, obstacleTo, WeightBuffers } from './plan.ts';
import { inTiles, tilesOf, type Tile } from './tiles.ts';

/** Restore-RWKV on a WebGPU device: recorded once per size, then replayed. */
export interface Engine {
  /** Records, compiles and allocates for a size, so that the first `run` of it does not wait. */
  prepare(height: number, width: number): Promise<Prepared>;
  /**
   * Submits one image and returns without waiting for it. Two may be in flight, unless they are computed in tiles: one
   * is uploaded and submitted while the device computes the other and its result comes back.
   *
   * @param image [height · width] in [0, 1], height and width multiples of 8
   */
  run(image: Float32Array, height: number, width: number): Promise<Submitted>;
  /** As `run`, and reads the result back. */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  dispose(): void;
}

/** A size that is ready to run. */
interface Ready extends Prepared {
  readonly results: Results;
}

/** What an image of a size takes. */
export interface Prepared {
  /** The whole image, or overlapping parts of one size, each computed by itself: Re-WKV then sees a part at a time. */
  readonly tiles: readonly Tile[];
  /** Of one tile. */
  readonly plan: Plan;
}

/** An image on its way through the device. */
export interface Submitted {
  /** f32 [height · width], for showing without a read-back; valid until the next run. null where it came in tiles. */
  readonly buffer: GPUBuffer | null;
  /** In how many parts it was computed. */
  readonly tiles: number;
  /** The result in memory; to be asked for before the run after the next. */
  read(): Promise<Float32Array>;
}

export interface EngineOptions {
  /** Tile shapes of the kernels; by default those for the adapter. */
  readonly variants?: Variants;
  /** Whether to store activations as float16, natively or packed; see `halfDifference`. By default as the variants say. */
  readonly half?: boolean;
  /** Bytes of activations that an image may take; a larger one is computed in tiles. */
  readonly memory?: number;
}

/** 1 GiB: the light network's 1024², what an old laptop's GPU can spare. */
const MEMORY = 2 ** 30;

/** Plans hold their activations: a few sizes are kept warm, the one unused longest goes first. */
const WARM_PLANS = 2;

/** How a device stores float16: natively where it can. */
const halvesOf = (device: GPUDevice): Precision => (device.features.has('shader-f16') ? 'f16' : 'packed');

/** @throws DeviceError, WeightsError and ShapeError as sentences, from its methods too */
export function createEngine(device: GPUDevice, weights: NetworkWeights, options: EngineOptions = {}): Engine {
  const { variants: tiles = variantsFor(device), half } = options;
  const variants = { ...tiles, precision: half === undefined ? tiles.precision : half ? halvesOf(device) : 'f32' };
  if (variants.precision === 'f16' && !device.features.has('shader-f16')) {
    throw new DeviceError('device: it cannot store 16-bit floats (WebGPU\'s shader-f16); use f32 or packed');
  }
  let { memory = MEMORY } = options;
  const buffers = new WeightBuffers(device);
  const lookup = lookupIn(weights.tensors);
  const prepared = new Map<string, Promise<Ready>>();

  const lowered = (height: number, width: number): Lowered =>
    lower(networkGraph(weights.config, (path) => lookup(path).shape, height, width, fusionFor(variants)), lookup, variants);

  /** The tiles of an image and the program of one; where nothing fits the whole image's, whose refusal says why. */
  function fitting(height: number, width: number): { tiles: readonly Tile[]; program: Lowered } {
    const tried: { program?: Lowered } = {};
    const tiles = tilesOf(height, width, (tileHeight, tileWidth) => {
      const program = (tried.program = lowered(tileHeight, tileWidth));
      const assignment = assignBuffers(program.dispatches);
      return bytesOf(assignment) <= memory && obstacleTo(device, program, assignment) === null;
    });
    if (tiles && tried.program) return { tiles, program: tried.program };
    return { tiles: [{ top: 0, left: 0, height, width }], program: lowered(height, width) };
  }

  async function build(height: number, width: number): Promise<Ready> {
    if (height % EDGE_MULTIPLE !== 0 || width % EDGE_MULTIPLE !== 0 || height === 0 || width === 0) {
      throw new ShapeError(`engine: the image is ${height}×${width}; pad height and width to multiples of ${EDGE_MULTIPLE}`);
    }
    let { tiles, program } = fitting(height, width);
    for (;;) {
      try {
        const plan = await compile(device, program, buffers);
        return { tiles, plan, results: new Results(device, plan) };
      } catch (error) {
        if (!(error instanceof MemoryError)) throw error;
        // The device has less than was thought: smaller tiles, as long as there are any.
        memory = Math.min(memory, bytesOf(assignBuffers(program.dispatches))) / 2;
        const smaller = fitting(height, width);
        if (smaller.tiles.length <= tiles.length) throw error;
        ({ tiles, program } = smaller);
      }
    }
  }

  async function prepare(height: number, width: number): Promise<Ready> {
    const key = `${height}×${width}`;
    const found = prepared.get(key) ?? build(height, width);
    prepared.delete(key);
    prepared.set(key, found); // now the most recent
    found.catch(() => prepared.delete(key));
    for (const [oldest, old] of prepared) {
      if (prepared.size <= WARM_PLANS) break;
      prepared.delete(oldest);
      destroy(old);
    }
    return found;
  }

  function submit(image: Float32Array, { plan, results }: Ready): { buffer: GPUBuffer; read(): Promise<Float32Array> } {
    device.queue.writeBuffer(plan.inputs.get('image')!.buffer, 0, image as Float32Array<ArrayBuffer>);
    const encoder = device.createCommandEncoder();
    encode(encoder, plan);
    const read = results.take(encoder);
    device.queue.submit([encoder.finish()]);
    return { buffer: plan.output.buffer, read: async () => refuseNonFinite(await read()) };
  }

  async function run(image: Float32Array, height: number, width: number): Promise<Submitted> {
    if (image.length !== height * width) {
      throw new ShapeError(`engine: ${image.length} values for an image of ${height}×${width}`);
    }
    const ready = await prepare(height, width);
    const { tiles } = ready;
    if (tiles.length === 1) return { ...submit(image, ready), tiles: 1 };
    const whole = await inTiles(image, height, width, tiles, (part) => submit(part, ready).read());
    return { buffer: null, tiles: tiles.length, read: async () => whole };
  }

  return {
    prepare,
    run,
    restore: async (image, height, width) => (await run(image, height, width)).read(),
    dispose() {
      prepared.forEach(destroy);
      prepared.clear();
      buffers.destroy();
    },
  };
}

function destroy(ready: Promise<Ready>): void {
  ready.then(({ plan, results }) => [plan, results].forEach((each) => each.destroy()), () => undefined);
}

/** Where results wait to be read, two in turn, so that the next run may overwrite the plan's own output. */
class Results {
  readonly #output: View<GPUBuffer>;
  readonly #staging: readonly GPUBuffer[];
  #turn = 0;

  constructor(device: GPUDevice, { output }: Plan) {
    this.#output = output;
    this.#staging = [0, 1].map(() => stagingFor(device, output));
  }

  /** Encodes a copy of the result; what is given back waits for it. */
  take(encoder: GPUCommandEncoder): () => Promise<Float32Array> {
    const staging = this.#staging[this.#turn++ % 2]!;
    encoder.copyBufferToBuffer(this.#output.buffer, 0, staging, 0, staging.size);
    return async () => {
      const result = await mapped(staging, this.#output);
      staging.unmap();
      return result;
    };
  }

  destroy(): void {
    for (const staging of this.#staging) staging.destroy();
  }
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
  const staging = stagingFor(device, view);
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(view.buffer, 0, staging, 0, staging.size);
  device.queue.submit([encoder.finish()]);
  const result = await mapped(staging, view);
  staging.destroy();
  return result;
}

const stagingFor = (device: GPUDevice, view: View<GPUBuffer>): GPUBuffer => device.createBuffer({
  size: bytesEach(view) * pixelsOf(view) * view.stride, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
});

/** Maps a copy of an activation's buffer and takes its channels out, without padding. */
async function mapped(staging: GPUBuffer, view: View<unknown>): Promise<Float32Array> {
  try {
    await staging.mapAsync(GPUMapMode.READ);
  } catch (cause) {
    throw new DeviceError('device: the GPU was lost while it restored; reload the page and try again', { cause });
  }
  const range = staging.getMappedRange();
  const floats = bytesEach(view) === 2 ? widenHalf(new Uint16Array(range)) : new Float32Array(range);
  const pixels = pixelsOf(view);
  const result = new Float32Array(pixels * view.channels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < view.channels; c++) result[pixel * view.channels + c] = floats[view.offset + pixel * view.stride + c]!;
  }
  return result;
}
