import { createEngine } from '../../engine/engine.ts';
import type { EngineOptions } from '../../engine/engine.ts';
import type { Volume } from '../../formats/volume.ts';
import { denormalise, normalise } from '../../image/normalise.ts';
import type { Normalisation } from '../../image/normalise.ts';
import { crop, padToMultiple, paddedSize } from '../../image/padding.ts';
import type { Slice } from '../../image/slice.ts';
import { EDGE_MULTIPLE } from '../../model/config.ts';
import type { NetworkWeights } from '../../weights/networkWeights.ts';
import { text } from '../text.ts';
import { UserError } from './jobs.ts';

/** One network on one device, whatever runs it. */
export interface Network {
  /** Whether `run` returns while the image is still being computed, so that another may be submitted before `read`. */
  readonly overlaps: boolean;
  /** Activations are stored as 16-bit floats. */
  readonly half: boolean;
  prepare(height: number, width: number): Promise<void>;
  /** @param image [height · width] in [0, 1], height and width multiples of 8 */
  run(image: Float32Array, height: number, width: number): Promise<Result>;
  dispose(): void;
}

interface Result {
  /** The result on the GPU, valid until the next run; null where it is not there as a whole. */
  readonly buffer: GPUBuffer | null;
  /** In how many parts the image was computed. */
  readonly tiles: number;
  read(): Promise<Float32Array>;
}

/** A slice on its way through the network. */
export interface Restored {
  /** For showing at once: padded, in [0, 1], rows `stride` apart. */
  readonly buffer: GPUBuffer | null;
  readonly stride: number;
  readonly paddedRows: number;
  /** In how many parts it was computed. */
  readonly tiles: number;
  /** The restored slice in native units. */
  native(): Promise<Slice>;
  readonly clamped: number;
  readonly nonFinite: number;
}

/** Normalises, pads, runs, and gives the way back to native units. */
export async function restoreSlice(network: Network, slice: Slice, rule: Normalisation): Promise<Restored> {
  const { image, clamped, nonFinite } = normalise(slice, rule);
  const padded = padToMultiple(image, EDGE_MULTIPLE);
  const { buffer, tiles, read } = await network.run(padded.data, padded.height, padded.width);
  const native = async () => denormalise(crop({ ...padded, data: await read() }, slice.width, slice.height), rule);
  return { buffer, stride: padded.width, paddedRows: padded.height, tiles, native, clamped, nonFinite };
}

/** Gets a network ready for the slices of a volume. */
export function prepareFor(network: Network, { columns, rows }: Pick<Volume, 'columns' | 'rows'>): Promise<void> {
  const { height, width } = paddedSize({ width: columns, height: rows }, EDGE_MULTIPLE);
  return network.prepare(height, width);
}

/** The network in our own shaders. */
export function webGpuNetwork(device: GPUDevice, weights: NetworkWeights, options: EngineOptions): Network {
  const engine = createEngine(device, weights, options);
  return {
    overlaps: true,
    half: options.half ?? false,
    async prepare(height, width) {
      await engine.prepare(height, width);
    },
    run: (image, height, width) => engine.run(image, height, width),
    dispose: () => engine.dispose(),
  };
}

let starting: Promise<void> | null = null;

/** tfjs gives up one of two starts that overlap, as when weights are loaded while the shipped ones get ready. */
export function startWasm(): Promise<void> {
  starting ??= Promise.all([
    import('../../training/tfjsBackend.ts'),
    import('../../training/tfjsWasmBrowser.ts'),
  ]).then(([{ useTfjsBackend: startBackend }, { browserWasmPaths }]) =>
    startBackend('wasm', { wasmPaths: browserWasmPaths }),
  );
  starting.catch(() => {
    starting = null;
  });
  return starting;
}

/** More threads wait for one another longer than they help: levels of few pixels are shared among all. */
const MOST_THREADS = 8;

/** The fallback: the same network on the processor, fetched only when it is needed. */
export async function wasmNetwork(weights: NetworkWeights): Promise<Network & { readonly threads: number }> {
  const [{ createWasmNetwork }, { startBrowserHelper }] = await Promise.all([
    import('../../training/wasm/wasmNetwork.ts'), import('../../training/wasm/browserHelpers.ts'),
  ]);
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  const network = await createWasmNetwork(weights, { threads, startHelper: startBrowserHelper }) ?? await tfjsNetwork(weights);
  return {
    threads: network.threads,
    overlaps: false,
    half: false,
    prepare: async () => undefined,
    async run(image, height, width) {
      const values = await network.restore(image, height, width);
      // The engine checks its own results.
      if (!values.every(Number.isFinite)) throw new UserError(text.failed.notFinite);
      return { buffer: null, tiles: network.tiles(height, width), read: async () => values };
    },
    dispose: () => network.dispose(),
  };
}

/** For browsers without SIMD: the network through tfjs. */
async function tfjsNetwork(weights: NetworkWeights) {
  const [{ createTfjsNetwork }] = await Promise.all([import('../../training/tfjsNetwork.ts'), startWasm()]);
  return { ...createTfjsNetwork(weights), threads: 1, tiles: () => 1 };
}
