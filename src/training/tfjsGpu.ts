import * as tf from '@tensorflow/tfjs';
import type { Dispatch } from '../kernels/kernel.ts';
import { layoutFor, pipelineFor, pipelineNow } from '../kernels/pipeline.ts';
import { variantsFor, type Variants } from '../kernels/variants.ts';

/**
 * What is used of tfjs's WebGPU backend and is no part of its public interface: the one place that must change with
 * another version of tfjs.
 */
export interface BackendInternals {
  readonly device: GPUDevice;
  /** Where a tensor's values are: `resource` is its buffer once `uploadToGPU` was called. */
  readonly tensorMap: { get(dataId: object): { resource?: unknown } | undefined };
  /** Tensors that encoded commands use: their buffers are given to others only after these were submitted. */
  readonly commandQueueOwnedIds: { add(dataId: object): unknown };
  readonly commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  dispatchCountInPass: number;
  makeTensorInfo(shape: number[], dtype: 'float32'): tf.TensorInfo;
  uploadToGPU(dataId: object): void;
  disposeData(dataId: object, force?: boolean): boolean;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  checkCompileCompletionAsync(): Promise<void>;
}

const METHODS = [
  'makeTensorInfo', 'uploadToGPU', 'disposeData', 'ensureCommandEncoderReady', 'endComputePassEncoder', 'submitQueue',
  'checkCompileCompletionAsync',
] as const;

/** Fields of the backend that it must have from its start. */
const FIELDS = [
  'device', 'tensorMap', 'commandQueueOwnedIds', 'commandEncoder', 'computePassEncoder', 'dispatchCountInPass',
] as const;

/**
 * A backend's internals, looked at before they are relied upon.
 *
 * @throws Error that names what is missing
 */
export function internalsOf(backend: object): BackendInternals {
  const fields = backend as Readonly<Record<string, unknown>>;
  const missing = [
    ...FIELDS.filter((name) => !(name in fields)),
    ...METHODS.filter((name) => typeof fields[name] !== 'function'),
  ];
  if (missing.length > 0) {
    throw new Error(
      `tfjs: its WebGPU backend has no ${missing.join(', ')}, expected those of version 4.22.0; install that version`,
    );
  }
  return backend as BackendInternals;
}

/** Runs our dispatches among tfjs's own, in the order of the calls. */
export interface TfjsGpu {
  readonly variants: Variants;
  /** A tensor for dispatches to write; tracked by `tf.tidy` as any other. */
  tensor(shape: readonly number[]): tf.Tensor;
  /** Memory of so many floats for dispatches to use among themselves, to be released after they were run. */
  scratch(floats: number): tf.TensorInfo;
  release(scratch: tf.TensorInfo): void;
  run(dispatches: readonly Dispatch<tf.TensorInfo>[]): void;
}

const adapters = new WeakMap<object, TfjsGpu & Compiler>();

/** The adapter to tfjs's current backend. @throws Error where that is not WebGPU */
export function tfjsGpu(): TfjsGpu {
  return adapterOf(tf.backend());
}

function adapterOf(backend: object): TfjsGpu & Compiler {
  let adapter = adapters.get(backend);
  if (!adapter) adapters.set(backend, (adapter = createAdapter(internalsOf(backend))));
  return adapter;
}

interface Compiler {
  /** Pipelines that were asked for while tfjs only compiled. */
  readonly compiling: Set<Promise<unknown>>;
}

/**
 * Compiles what a computation needs, tfjs's own programs too, in the background and in parallel, so that running it
 * later does not wait for compilers. Nothing is computed.
 *
 * @param computation its operators are called once; what it returns is disposed
 */
export async function compileAhead(computation: () => tf.TensorContainer): Promise<void> {
  const backend = tf.backend();
  const { compiling } = adapterOf(backend);
  tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', true);
  try {
    tf.dispose(tf.tidy(computation));
  } finally {
    tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', false);
  }
  await Promise.all([...compiling, internalsOf(backend).checkCompileCompletionAsync()]);
  compiling.clear();
}

function createAdapter(backend: BackendInternals): TfjsGpu & Compiler {
  const { device } = backend;
  const uniforms = uniformSlots(device, () => flush(backend));
  const kernels = kernelCache(device);
  const compiling = new Set<Promise<unknown>>();

  const bufferOf = ({ dataId }: tf.TensorInfo): GPUBuffer => {
    backend.uploadToGPU(dataId);
    return backend.tensorMap.get(dataId)!.resource as GPUBuffer;
  };

  function encode(dispatch: Dispatch<tf.TensorInfo>, mostInPass: number): void {
    const kernel = kernels.of(dispatch);
    const buffers = dispatch.bindings.map(({ buffer }) => bufferOf(buffer));
    const group = device.createBindGroup({
      layout: kernel.layout,
      entries: [
        { binding: 0, resource: uniforms.place(dispatch.params) },
        ...dispatch.bindings.map(({ binding }, i) => ({ binding, resource: { buffer: buffers[i] } })),
      ],
    });
    for (const { buffer } of dispatch.bindings) {
      if (!scratches.has(buffer)) backend.commandQueueOwnedIds.add(buffer.dataId);
    }
    // Uploads may have ended the pass, and uniforms submitted the encoder.
    backend.ensureCommandEncoderReady();
    const pass = (backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass());
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...dispatch.workgroups);
    if (++backend.dispatchCountInPass >= mostInPass) flush(backend);
  }

  // A scratch's memory may serve again as soon as its dispatches are encoded: all run in the order of encoding.
  const scratches = new WeakSet<tf.TensorInfo>();

  return {
    variants: variantsFor(device),
    compiling,
    tensor: (shape) => tf.engine().makeTensorFromTensorInfo(backend.makeTensorInfo([...shape], 'float32')),
    scratch(floats) {
      const made = backend.makeTensorInfo([floats], 'float32');
      scratches.add(made);
      return made;
    },
    release: ({ dataId }) => void backend.disposeData(dataId, true),
    run(dispatches) {
      if (tf.env().getBool('WEBGPU_ENGINE_COMPILE_ONLY')) {
        for (const dispatch of dispatches) compiling.add(pipelineFor(device, dispatch));
        return;
      }
      const mostInPass = tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE');
      for (const dispatch of dispatches) encode(dispatch, mostInPass);
    },
  };
}

/** Hands what is encoded to the device, as tfjs does after some dispatches. */
function flush(backend: BackendInternals): void {
  if (!backend.commandEncoder) return;
  backend.endComputePassEncoder();
  backend.submitQueue();
}

/** Uniforms that a network's training needs at one size are a few hundred. */
const SLOTS = 2048;
const SLOT_BYTES = 256;

/**
 * Uniforms by their contents, written once and used again: a step of training has the same sizes as the one before.
 *
 * @param submit hands to the device what was encoded with the places given out before
 */
function uniformSlots(device: GPUDevice, submit: () => void) {
  const buffer = device.createBuffer({
    label: 'uniforms', size: SLOTS * SLOT_BYTES, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  const offsets = new Map<string, number>();
  return {
    place(params: readonly number[]): GPUBufferBinding {
      const key = params.join();
      let offset = offsets.get(key);
      if (offset === undefined) {
        if (offsets.size === SLOTS) {
          // Writes come after what is submitted and before what is not.
          submit();
          offsets.clear();
        }
        offset = offsets.size * SLOT_BYTES;
        offsets.set(key, offset);
        device.queue.writeBuffer(buffer, offset, Uint32Array.from(params));
      }
      return { buffer, offset, size: SLOT_BYTES };
    },
  };
}

interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Kernels by code and entry point, which together say what is bound and how. */
function kernelCache(device: GPUDevice) {
  const known = new Map<string, Map<string, Kernel>>();
  return {
    of(dispatch: Dispatch<unknown>): Kernel {
      const { code, entryPoint } = dispatch;
      let entries = known.get(code);
      if (!entries) known.set(code, (entries = new Map<string, Kernel>()));
      let kernel = entries.get(entryPoint);
      if (!kernel) {
        kernel = { pipeline: pipelineNow(device, dispatch), layout: layoutFor(device, dispatch) };
        entries.set(entryPoint, kernel);
      }
      return kernel;
    },
  };
}
