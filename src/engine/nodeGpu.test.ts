import { expect, it } from 'vitest';
import { DeviceError } from './errors.ts';
import { installNodeWebGpu } from './nodeGpu.ts';

it('names a Vulkan driver that does not load, and finds one by itself when none is named', async () => {
  const named = process.env.VK_DRIVER_FILES;
  process.env.VK_DRIVER_FILES = '/nowhere/driver.json';
  const refused = await installNodeWebGpu().catch((error: unknown) => error);
  if (named === undefined) delete process.env.VK_DRIVER_FILES;
  else process.env.VK_DRIVER_FILES = named;
  // Where Dawn does not go through Vulkan (Windows, macOS) the variable has no effect.
  if (process.platform === 'linux') {
    expect(refused).toBeInstanceOf(DeviceError);
    expect((refused as DeviceError).message).toContain('/nowhere/driver.json');
  }

  const gpu = await installNodeWebGpu();
  expect(navigator.gpu).toBe(gpu);
  expect(await installNodeWebGpu()).toBe(gpu);
  expect(GPUBufferUsage.STORAGE).toBe(0x80);

  const adapter = await gpu.requestAdapter();
  expect(adapter?.limits.maxComputeInvocationsPerWorkgroup).toBeGreaterThanOrEqual(128);
});
