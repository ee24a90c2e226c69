import { existsSync } from 'node:fs';
import { DeviceError } from './errors.ts';

export interface NodeGpuOptions {
  /** Dawn's own switches, such as `enable-dawn-features=disable_robustness`. */
  readonly flags?: readonly string[];
}

/**
 * Software Vulkan drivers in order of speed: Mesa's lavapipe (version 25 or later works with Dawn) and the SwiftShader
 * that comes with Debian's Chromium.
 */
const SOFTWARE_DRIVERS = [
  '/usr/share/vulkan/icd.d/lvp_icd.json',
  '/usr/lib/chromium/vk_swiftshader_icd.json',
];

let installed: GPU | null = null;

/**
 * Gives Node a `navigator.gpu` and WebGPU's global constants, over Dawn (the `webgpu` package).
 *
 * The driver is the one that VK_DRIVER_FILES or VK_ICD_FILENAMES names; else a real GPU where there is one; else a
 * software driver, which is for tests: it is correct, and slow. A second call returns the first one's GPU.
 *
 * Dawn's threads can keep a process alive: destroy the device, and end a command-line program with `process.exit`.
 *
 * @throws DeviceError when the package cannot be loaded or no driver gives an adapter
 */
export async function installNodeWebGpu(options: NodeGpuOptions = {}): Promise<GPU> {
  if (installed) return installed;
  const dawn = await loadDawn();
  Object.assign(globalThis, dawn.globals);
  installed = await chooseGpu(() => dawn.create([...(options.flags ?? [])]));
  if (!('navigator' in globalThis)) {
    Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  }
  Object.defineProperty(globalThis.navigator, 'gpu', { value: installed, configurable: true });
  return installed;
}

async function loadDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const found = `${process.platform} ${process.arch}`;
    throw new DeviceError(
      `device: the package "webgpu" could not be loaded on ${found}; run npm ci, or use the wasm backend`, { cause },
    );
  }
}

async function chooseGpu(create: () => GPU): Promise<GPU> {
  const named = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  const preferred = await probe(create);
  if (preferred && (named || !preferred.software)) return preferred.gpu;
  if (named) {
    throw new DeviceError(
      `device: the Vulkan driver ${named} gives no WebGPU adapter; unset VK_DRIVER_FILES and VK_ICD_FILENAMES ` +
      'to have one chosen',
    );
  }
  for (const path of SOFTWARE_DRIVERS.filter((path) => existsSync(path))) {
    // The Vulkan loader reads this when an instance is created.
    process.env.VK_DRIVER_FILES = path;
    const software = await probe(create);
    if (software) return software.gpu;
  }
  delete process.env.VK_DRIVER_FILES;
  if (preferred) return preferred.gpu;
  throw new DeviceError(
    'device: no WebGPU adapter was found and no software driver is installed; install a Vulkan driver ' +
    '(Debian: mesa-vulkan-drivers 25 or later) or use the wasm backend',
  );
}

async function probe(create: () => GPU): Promise<{ gpu: GPU; software: boolean } | null> {
  const gpu = create();
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  return adapter && { gpu, software: adapter.info.isFallbackAdapter };
}
