import * as tf from '@tensorflow/tfjs';

/** Where tfjs finds its three wasm binaries: a folder (ending in a slash) or a URL or path for each. */
export type WasmPaths = string | Readonly<Record<WasmBinary, string>>;
export type WasmBinary =
  'tfjs-backend-wasm.wasm' | 'tfjs-backend-wasm-simd.wasm' | 'tfjs-backend-wasm-threaded-simd.wasm';

export interface WasmOptions {
  readonly wasmPaths: WasmPaths;
  /** Threads where the page is cross-origin isolated (Node: always one); all cores when left out. */
  readonly threads?: number;
}

export interface WebGpuOptions {
  /** The engine's own device, so that both see the same buffers. */
  readonly device: GPUDevice;
  readonly adapterInfo: GPUAdapterInfo;
}

let webGpuDevice: GPUDevice | null = null;

/**
 * Makes tfjs run on wasm, or on WebGPU with a device of ours. Tensors made on a WebGPU device are lost when another
 * device takes its place; calling again with the same device changes nothing.
 *
 * @throws Error, one sentence, when the backend cannot start (no binaries at the paths, device lost)
 */
export async function useTfjsBackend(name: 'wasm', options: WasmOptions): Promise<void>;
export async function useTfjsBackend(name: 'webgpu', options: WebGpuOptions): Promise<void>;
export async function useTfjsBackend(name: 'wasm' | 'webgpu', options: WasmOptions | WebGpuOptions): Promise<void> {
  if ('wasmPaths' in options) await prepareWasm(options);
  else await prepareWebGpu(options);
  const started = await tf.setBackend(name).catch(() => false);
  if (!started) {
    throw new Error(
      name === 'wasm'
        ? 'tfjs: the wasm backend did not start; check that the .wasm files can be read at the given paths'
        : 'tfjs: the webgpu backend did not start; check that the device is not lost, or use the wasm backend',
    );
  }
}

async function prepareWasm({ wasmPaths, threads }: WasmOptions): Promise<void> {
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(wasmPaths);
  if (threads !== undefined) setThreadsCount(threads);
}

async function prepareWebGpu({ device, adapterInfo }: WebGpuOptions): Promise<void> {
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  // Left on, tfjs hands small tensors to the CPU and reads them back synchronously, which kills the device.
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (device === webGpuDevice) return;
  // The stock registration would ask for a device of its own, with fewer storage buffers.
  tf.removeBackend('webgpu');
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, adapterInfo));
  webGpuDevice = device;
}
