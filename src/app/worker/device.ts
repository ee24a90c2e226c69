import { compileAhead } from '../../engine/compileAhead.ts';
import { requestDevice } from '../../engine/device.ts';
import type { DeviceChoice, DeviceState } from '../protocol.ts';
import type { EngineOptions } from '../../engine/engine.ts';
import type { Variants } from '../../kernels/variants.ts';
import type { NetworkWeights } from '../../weights/networkWeights.ts';
import type { Display } from './display.ts';
import { createDisplay2d } from './display2d.ts';
import { createGpuDisplay } from './displayGpu.ts';
import type { GpuDisplay } from './displayGpu.ts';
import { wasmNetwork, webGpuNetwork } from './restorer.ts';
import type { Network } from './restorer.ts';
import type { Surface } from './surface.ts';

/** What computes and what draws. */
export interface Machine {
  readonly state: DeviceState;
  readonly display: Display;
  /** The same display where results can be shown without a read-back. */
  readonly gpuDisplay: GpuDisplay | null;
  /** For what else runs on the same device; null where there is none. */
  readonly gpu: { readonly device: GPUDevice; readonly adapterInfo: GPUAdapterInfo } | null;
  /** `options` are for WebGPU. */
  network(weights: NetworkWeights, options: EngineOptions): Promise<Network>;
  /** Resolves with the reason when the device is lost; never otherwise. */
  readonly lost: Promise<string>;
}

/**
 * WebGPU where there is a graphics processor, else WebAssembly and a 2-D canvas.
 *
 * @param expected what will probably be asked for
 */
export async function openMachine(
  surface: Surface, choice: DeviceChoice, expected: (device: GPUDevice) => Variants,
): Promise<Machine> {
  if (choice === 'wasm') return wasmMachine(surface, 'WebGPU is switched off by the address (?device=wasm)');
  let found;
  try {
    found = await requestDevice(navigator.gpu);
  } catch (error) {
    return wasmMachine(surface, error instanceof Error ? error.message : String(error));
  }
  const { device, adapter, description } = found;
  if (description.software && choice === 'auto') {
    device.destroy();
    return wasmMachine(surface, `WebGPU here is ${description.name}, in software and slower (?device=webgpu takes it all the same)`);
  }
  const gpuDisplay = createGpuDisplay(device, await surface.take('webgpu'));
  // A shader that does not compile is told when an image is to be restored.
  compileAhead(device, expected(device)).catch(() => undefined);
  const lost = device.lost.then(({ message, reason }) => {
    gpuDisplay.dispose();
    return message || reason;
  });
  return {
    state: { kind: 'webgpu', ...description, why: null },
    display: gpuDisplay,
    gpuDisplay,
    gpu: { device, adapterInfo: adapter.info },
    network: async (weights, options) => webGpuNetwork(device, weights, options),
    lost,
  };
}

async function wasmMachine(surface: Surface, why: string): Promise<Machine> {
  return {
    state: { kind: 'wasm', name: 'WebAssembly', software: true, why },
    display: createDisplay2d(await surface.take('2d')),
    gpuDisplay: null,
    gpu: null,
    network: wasmNetwork,
    lost: new Promise(() => undefined),
  };
}
