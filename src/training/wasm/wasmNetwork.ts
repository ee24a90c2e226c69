import { DeviceError } from '../../engine/errors.ts';
import { inTiles, tilesOf, type Tile } from '../../engine/tiles.ts';
import { restoreRwkv } from '../../model/restoreRwkv.ts';
import { WeightsError } from '../../weights/errors.ts';
import type { NetworkWeights } from '../../weights/networkWeights.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import { expectFiniteDecays, expectImage } from '../networkInput.ts';
import type { Lowered } from './lower.ts';
import { activationBytes, createMachine, type MachineOptions } from './machine.ts';
import { lowerProgram, readPadded, writePadded } from './wasmProgram.ts';

/** The network on the processor, in kernels of our own. */
export interface WasmNetwork {
  /** How many threads compute. */
  readonly threads: number;
  /** In how many parts an image of a size is computed. */
  tiles(height: number, width: number): number;
  /**
   * Restores one image, row-major, in [0, 1]. Blocks the thread that it is called from.
   *
   * @throws ShapeError unless height and width are positive multiples of 8 and the image has height·width values
   * @throws DeviceError where there is not enough memory
   */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  dispose(): void;
}

export interface WasmNetworkOptions extends MachineOptions {
  /** Bytes of activations that an image may take; a larger one is computed in overlapping tiles. */
  readonly memory?: number;
}

/** 1 GiB, as on the GPU. */
const MEMORY = 2 ** 30;

const IMAGE = 'image';

/**
 * Null where this engine's WebAssembly has no SIMD.
 *
 * @throws WeightsError where a parameter is missing, or a decay or bonus is not finite
 */
export async function createWasmNetwork(
  { config, tensors }: NetworkWeights, options: WasmNetworkOptions = {},
): Promise<WasmNetwork | null> {
  let { memory = MEMORY } = options;
  const parameter = (path: string): StoredTensor => {
    const tensor = tensors.get(path);
    if (tensor) return tensor;
    throw new WeightsError(`network: the parameter ${path} is missing; load the weights of this network`);
  };
  const lowered = (height: number, width: number): Lowered =>
    lowerProgram((ops, input) => restoreRwkv(ops, input, config, input(IMAGE)), new Map([[IMAGE, [1, height, width, 1]]]), parameter);
  expectFiniteDecays(tensors);
  lowered(8, 8); // asks for every parameter
  const machine = await createMachine(options);
  if (!machine) return null;

  /** The last size asked for, and the size that the machine is loaded with. */
  let plan: { readonly height: number; readonly width: number; readonly tiles: readonly Tile[]; readonly program: Lowered } | null = null;
  let loaded: Lowered | null = null;

  function planFor(height: number, width: number) {
    if (plan?.height === height && plan.width === width) return plan;
    const tried: { program?: Lowered } = {};
    const tiles = tilesOf(height, width, (tileHeight, tileWidth) => {
      tried.program = lowered(tileHeight, tileWidth);
      return activationBytes(tried.program) <= memory;
    });
    if (!tiles || !tried.program) throw tooLittle(height, width, memory);
    plan = { height, width, tiles, program: tried.program };
    return plan;
  }

  /** Puts the program for an image into memory; where there is less than was thought, for smaller tiles of it. */
  function prepare(height: number, width: number) {
    for (;;) {
      const found = planFor(height, width);
      if (found.program === loaded) return found;
      loaded = null;
      try {
        machine!.load(found.program);
        loaded = found.program;
        return found;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        memory = activationBytes(found.program) / 2;
        plan = null;
      }
    }
  }

  return {
    threads: machine.threads,
    tiles: (height, width) => planFor(height, width).tiles.length,
    async restore(image, height, width) {
      expectImage(image, height, width);
      const { tiles } = prepare(height, width);
      const run = (part: Float32Array): Float32Array => {
        // Another image may have come between two tiles of this one.
        const { region } = prepare(height, width).program.inputs.get(IMAGE)!;
        return machine.run((floats) => writePadded(part, 1, floats(region)), (output) => readPadded(output, 1));
      };
      return tiles.length === 1 ? run(image) : inTiles(image, height, width, tiles, async (part) => run(part));
    },
    dispose: () => machine.dispose(),
  };
}

const tooLittle = (height: number, width: number, memory: number) => new DeviceError(
  `wasm: an image of ${height}×${width} pixels takes more than ${Math.floor(memory / 2 ** 20)} MiB even in parts; allow more ` +
  'memory or close other pages',
);
