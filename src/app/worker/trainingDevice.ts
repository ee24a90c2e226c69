import { tuneText } from '../fineTuneText.ts';
import type { Machine } from './device.ts';
import { startWasm } from './restorer.ts';

/** What a run computes on. */
export interface TrainingDevice {
  /** Its name, and why it is this one. */
  readonly says: string;
  /** Bytes that a step may take. */
  readonly available: number;
  /** Images that are measured: fewer where each takes seconds. */
  readonly validation: number;
}

const GIB = 2 ** 30;
/** GiB; some browsers say nothing. */
const ASSUMED_MEMORY = 4;
/** No browser says how much memory a graphics processor has of its own; most have this much and need some themselves. */
const GPU_MOST = 4 * GIB;
/** tfjs's heap cannot grow beyond 2 GiB everywhere, and the weights' moments and the images' copies lie in it, too. */
const WASM_MOST = 1.5 * GIB;

/** A graphics processor where there is one; else WebAssembly, which is faster than software that plays one. */
export function trainingDeviceOf({ gpu, state }: Machine): TrainingDevice & { readonly gpu: Machine['gpu'] } {
  const memory = ((navigator as { deviceMemory?: number }).deviceMemory ?? ASSUMED_MEMORY) * GIB;
  if (gpu && !state.software) {
    return { gpu, says: tuneText.device.gpu(state.name), available: Math.min(GPU_MOST, memory / 2), validation: 8 };
  }
  const says = gpu ? tuneText.device.wasmInstead(state.name) : tuneText.device.wasm;
  return { gpu: null, says, available: Math.min(WASM_MOST, memory / 4), validation: 3 };
}

/** Makes tfjs compute there. */
export async function startTrainingDevice(machine: Machine): Promise<TrainingDevice> {
  const { gpu, ...device } = trainingDeviceOf(machine);
  if (gpu) {
    const { useTfjsBackend: startBackend } = await import('../../training/tfjsBackend.ts');
    await startBackend('webgpu', gpu);
  } else {
    await startWasm();
  }
  return device;
}
