import type { Config } from '../model/config.ts';
import { safeBatch, trainingBytes } from '../training/memory.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import type { TrainingOptions } from '../training/training.ts';
import { deviceName, openWebGpu, wasmPaths, type DeviceChoice } from './devices.ts';
import { RefusedError, UsageError } from './errors.ts';

const GIB = 2 ** 30;

export interface TrainingDevice {
  readonly name: string;
  /** Beyond so many bytes a step keeps fewer images and computes the others again. */
  readonly roomy: number;
  /** Bytes that there are; no WebGPU adapter says. */
  readonly most: number | null;
}

/**
 * Starts tfjs on the chosen device; without a choice on a GPU where there is one, else on wasm, which is faster than
 * software WebGPU.
 *
 * @throws DeviceError where the chosen device is not there
 */
export async function openTrainingDevice(choice: DeviceChoice | undefined): Promise<TrainingDevice> {
  if (choice === 'cpu') throw new UsageError('train: --device cpu has no gradients; choose gpu, software or wasm');
  const found = choice === 'wasm' ? null : await openWebGpu(choice).catch((error: unknown) => {
    if (choice) throw error;
    return null;
  });
  if (found && (choice || !found.description.software)) {
    await useTfjsBackend('webgpu', { device: found.device, adapterInfo: found.adapter.info });
    return { name: deviceName(found), roomy: 6 * GIB, most: null };
  }
  found?.device.destroy();
  await useTfjsBackend('wasm', { wasmPaths: wasmPaths() });
  // Its addresses have 32 bits.
  return { name: 'WebAssembly on the processor, one thread', roomy: 2 * GIB, most: 3.5 * GIB };
}

/**
 * The options of a new run, with `recompute` where a step would otherwise take more memory than the device has to spare.
 *
 * @throws RefusedError where it takes more than there is even so
 */
export function fitted(options: TrainingOptions, config: Config, { roomy, most, name }: TrainingDevice): TrainingOptions {
  const { batch, crop, parts } = options;
  const recompute = options.recompute ?? trainingBytes(config, batch, crop, parts) > roomy;
  const bytes = trainingBytes(config, batch, crop, parts, recompute);
  if (most !== null && bytes > most) {
    const safe = safeBatch(config, crop, most, parts, true);
    throw new RefusedError(
      `train: ${batch} crops of ${crop} × ${crop} take ${(bytes / GIB).toFixed(1)} GiB, ${name} has ${most / GIB}; ` +
      (safe > 0 ? `take --batch ${safe} with --recompute, or smaller crops` : 'take smaller crops'),
    );
  }
  return { ...options, recompute };
}
