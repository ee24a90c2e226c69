import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Contender, Subject } from '../engine/measureDevice.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import { createTfjsNetwork } from '../training/tfjsNetwork.ts';
import { startNodeHelper } from '../training/wasm/nodeHelpers.ts';
import { createWasmNetwork } from '../training/wasm/wasmNetwork.ts';
import { threadsText, wasmPaths, type WebGpuDevice } from './devices.ts';
import { RefusedError } from './errors.ts';

/** The network on tfjs: on our device, or on wasm. The backend is switched as the contenders take turns. */
export async function tfjsContender({ weights, image, size }: Subject, gpu: WebGpuDevice | null): Promise<Contender> {
  if (gpu) await useTfjsBackend('webgpu', { device: gpu.device, adapterInfo: gpu.adapter.info });
  else await useTfjsBackend('wasm', { wasmPaths: wasmPaths() });
  const network = createTfjsNetwork(weights);
  return {
    name: `${gpu ? 'stock tfjs-webgpu' : 'tfjs-wasm'}, with read-back`,
    peer: true,
    single: true,
    run: () => network.restore(image, size, size),
    dispose: () => network.dispose(),
  };
}

/** What computes where there is no WebGPU; null where the processor has no SIMD for it. */
export async function wasmContender({ weights, image, size }: Subject): Promise<Contender | null> {
  const threads = availableParallelism();
  // Timed whole, as on the GPU.
  const network = await createWasmNetwork(weights, { threads, startHelper: startNodeHelper, memory: Infinity });
  if (!network) return null;
  return {
    name: `wasm fallback, ${threadsText(network.threads)}`,
    peer: false,
    single: true,
    run: () => network.restore(image, size, size),
    dispose: () => network.dispose(),
  };
}

/** The part of onnxruntime-web that is used here. */
interface Onnx {
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OnnxSession> };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => unknown;
}
interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly inputMetadata?: readonly { readonly shape?: readonly (number | string)[] }[];
  run(inputs: Readonly<Record<string, unknown>>): Promise<unknown>;
  release(): Promise<void>;
}

/** A model file for onnxruntime, and the edge of the images that it takes; null: any. */
export interface OnnxModel {
  readonly size: number | null;
  contender(subject: Subject): Promise<Contender>;
}

/** Most bytes that a compressed model may unfold to. */
const MOST_BYTES = 2 ** 30;

/**
 * A network for onnxruntime-web, which is taken from where the command is run: no part of this project.
 *
 * @param path .onnx, gzipped or not
 * @throws RefusedError where the package or the model cannot be had
 */
export async function openOnnx(path: string): Promise<OnnxModel> {
  const onnx = await importOnnx();
  const model = unzipped(path, await readFile(path));
  onnx.env.wasm.numThreads = availableParallelism();
  const open = () => onnx.InferenceSession.create(model, { executionProviders: ['wasm'] });
  let session: OnnxSession;
  try {
    session = await open();
  } catch {
    throw new RefusedError(`${path}: onnxruntime-web cannot open this model; give a .onnx file that it supports`);
  }
  const shape = session.inputMetadata?.[0]?.shape ?? [];
  await session.release();
  const edge = shape.at(-1);
  return {
    size: typeof edge === 'number' && shape.at(-2) === edge ? edge : null,
    async contender({ image, size }) {
      const opened = await open();
      const input = { [opened.inputNames[0]!]: new onnx.Tensor('float32', image, [1, 1, size, size]) };
      return {
        name: `onnxruntime-web wasm, ${threadsText(onnx.env.wasm.numThreads ?? 1)}`,
        peer: true,
        single: true,
        run: () => opened.run(input),
        dispose: () => void opened.release().catch(() => undefined),
      };
    },
  };
}

async function importOnnx(): Promise<Onnx> {
  let found: string;
  try {
    found = createRequire(join(process.cwd(), 'package.json')).resolve('onnxruntime-web');
  } catch {
    throw new RefusedError(
      'bench: --onnx needs the package onnxruntime-web, which is not installed where this runs; install it there',
    );
  }
  const loaded = (await import(/* @vite-ignore */ pathToFileURL(found).href)) as Onnx & { default?: Onnx };
  return loaded.default?.InferenceSession ? loaded.default : loaded;
}

function unzipped(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch {
    throw new RefusedError(`${path}: this gzip file is damaged or unfolds to more than 1 GiB; give the .onnx itself`);
  }
}
