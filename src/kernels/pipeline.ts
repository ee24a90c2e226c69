import type { Dispatch } from './kernel.ts';

interface DeviceCache {
  readonly modules: Map<string, GPUShaderModule>;
  readonly pipelines: Map<string, Promise<GPUComputePipeline>>;
  readonly layouts: Map<string, GPUBindGroupLayout>;
}
const caches = new WeakMap<GPUDevice, DeviceCache>();

function cacheOf(device: GPUDevice): DeviceCache {
  let cache = caches.get(device);
  if (!cache) caches.set(device, (cache = { modules: new Map(), pipelines: new Map(), layouts: new Map() }));
  return cache;
}

const layoutKey = ({ bindings }: Dispatch<unknown>) => bindings.map(({ binding, access }) => `${binding}${access[0]}`).join(' ');

/** Binding 0 a uniform, the others storage buffers as the dispatch says; shared by all dispatches that bind alike. */
export function layoutFor(device: GPUDevice, dispatch: Dispatch<unknown>): GPUBindGroupLayout {
  const { layouts } = cacheOf(device);
  const key = layoutKey(dispatch);
  let layout = layouts.get(key);
  if (!layout) {
    const entries: GPUBindGroupLayoutEntry[] = dispatch.bindings.map(({ binding, access }) => ({
      binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    entries.unshift({ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' } });
    layouts.set(key, (layout = device.createBindGroupLayout({ entries })));
  }
  return layout;
}

/** The compiled pipeline of a dispatch, shared by all dispatches of a device that differ in sizes only. */
export function pipelineFor(device: GPUDevice, dispatch: Dispatch<unknown>): Promise<GPUComputePipeline> {
  const { modules, pipelines } = cacheOf(device);
  const key = `${dispatch.entryPoint} ${layoutKey(dispatch)}\n${dispatch.code}`;
  let pipeline = pipelines.get(key);
  if (!pipeline) {
    let module = modules.get(dispatch.code);
    if (!module) modules.set(dispatch.code, (module = device.createShaderModule({ code: dispatch.code })));
    pipeline = device.createComputePipelineAsync({
      label: dispatch.label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layoutFor(device, dispatch)] }),
      compute: { module, entryPoint: dispatch.entryPoint },
    });
    pipelines.set(key, pipeline);
  }
  return pipeline;
}
