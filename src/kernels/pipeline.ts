import type { Dispatch } from './kernel.ts';

interface DeviceCache {
  readonly modules: Map<string, GPUShaderModule>;
  /** By code, then by entry point and bindings. */
  readonly pipelines: Map<string, Map<string, Compiled>>;
  readonly layouts: Map<string, GPUBindGroupLayout>;
}
interface Compiled {
  promise: Promise<GPUComputePipeline>;
  pipeline: GPUComputePipeline | null;
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
  const known = pipelinesOf(device, dispatch);
  const key = pipelineKey(dispatch);
  let compiled = known.get(key);
  if (!compiled) {
    const made: Compiled = { promise: device.createComputePipelineAsync(describe(device, dispatch)), pipeline: null };
    known.set(key, (compiled = made));
    made.promise.then((pipeline) => (made.pipeline = pipeline), () => undefined);
  }
  return compiled.promise;
}

/**
 * As `pipelineFor`, at once: compiled while the caller waits unless it was asked for before and is ready. For where
 * dispatches are encoded one by one as operators are called.
 */
export function pipelineNow(device: GPUDevice, dispatch: Dispatch<unknown>): GPUComputePipeline {
  const known = pipelinesOf(device, dispatch);
  const key = pipelineKey(dispatch);
  const ready = known.get(key)?.pipeline;
  if (ready) return ready;
  const pipeline = device.createComputePipeline(describe(device, dispatch));
  known.set(key, { promise: Promise.resolve(pipeline), pipeline });
  return pipeline;
}

function pipelinesOf(device: GPUDevice, { code }: Dispatch<unknown>): Map<string, Compiled> {
  const { pipelines } = cacheOf(device);
  let known = pipelines.get(code);
  if (!known) pipelines.set(code, (known = new Map<string, Compiled>()));
  return known;
}

const pipelineKey = (dispatch: Dispatch<unknown>) => `${dispatch.entryPoint} ${layoutKey(dispatch)}`;

function describe(device: GPUDevice, dispatch: Dispatch<unknown>): GPUComputePipelineDescriptor {
  const { modules } = cacheOf(device);
  let module = modules.get(dispatch.code);
  if (!module) modules.set(dispatch.code, (module = device.createShaderModule({ code: dispatch.code })));
  return {
    label: dispatch.label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layoutFor(device, dispatch)] }),
    compute: { module, entryPoint: dispatch.entryPoint },
  };
}
