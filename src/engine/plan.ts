import type { View } from '../kernels/kernel.ts';
import { layoutFor, pipelineFor } from '../kernels/pipeline.ts';
import { assignBuffers, type Assignment } from './buffers.ts';
import { DeviceError, MemoryError } from './errors.ts';
import type { Lowered, Slot } from './lower.ts';

/** A step ready to be encoded. */
export interface Step {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** A program for one size: compiled, with buffers, to be replayed. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly inputs: ReadonlyMap<string, View<GPUBuffer>>;
  readonly output: View<GPUBuffer>;
  /** Bytes of activations; weights are shared among plans and not counted. */
  readonly bytes: number;
  destroy(): void;
}

/** Weights on the device, shared by all plans of a network. */
export class WeightBuffers {
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #device: GPUDevice;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get({ key, floats, pack }: NonNullable<Slot['weight']>): GPUBuffer {
    let buffer = this.#buffers.get(key);
    if (!buffer) {
      buffer = this.#device.createBuffer({ label: key, size: 4 * floats, usage: GPUBufferUsage.STORAGE, mappedAtCreation: true });
      new Float32Array(buffer.getMappedRange()).set(pack());
      buffer.unmap();
      this.#buffers.set(key, buffer);
    }
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}

/** Uniforms lie this far apart in one buffer: the alignment that every adapter accepts. */
const UNIFORM_STRIDE = 256;

/**
 * Gives a lowered program its buffers and pipelines. Pipelines are compiled asynchronously, all at once, and shared
 * among plans: kernels take sizes as uniforms, so a new size compiles nothing.
 *
 * @throws DeviceError where the device cannot hold the plan
 */
export async function compile(device: GPUDevice, lowered: Lowered, weights: WeightBuffers): Promise<Plan> {
  const { dispatches } = lowered;
  const assignment = assignBuffers(dispatches);
  const { bufferOf, floats } = assignment;
  const bytes = bytesOf(assignment);
  const obstacle = obstacleTo(device, lowered, assignment);
  if (obstacle) throw new DeviceError(`device: ${obstacle}; crop the image or use a lighter model`);

  const pipelines = Promise.all(dispatches.map((dispatch) => pipelineFor(device, dispatch)));
  pipelines.catch(() => undefined); // awaited below; buffers may fail first
  device.pushErrorScope('out-of-memory');
  const activations = floats.map((length) => device.createBuffer({
    size: 4 * length, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  }));
  const bufferFor = (slot: Slot) => (slot.weight ? weights.get(slot.weight) : activations[bufferOf.get(slot)!]!);
  const uniforms = device.createBuffer({
    size: UNIFORM_STRIDE * dispatches.length, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true,
  });
  const words = new Uint32Array(uniforms.getMappedRange());
  dispatches.forEach(({ params }, i) => words.set(params, (i * UNIFORM_STRIDE) / 4));
  uniforms.unmap();
  for (const { bindings } of dispatches) for (const { buffer } of bindings) bufferFor(buffer);
  const destroy = () => [uniforms, ...activations].forEach((buffer) => buffer.destroy());
  if (await device.popErrorScope()) {
    destroy();
    throw new MemoryError(`device: ${mebibytes(bytes)} for this image were refused; crop the image or use a lighter model`);
  }

  let compiled: GPUComputePipeline[];
  try {
    compiled = await pipelines;
  } catch (cause) {
    destroy();
    throw new DeviceError('device: a shader could not be compiled; update the graphics driver or use the wasm fallback', { cause });
  }
  const steps = dispatches.map((dispatch, i): Step => ({
    label: dispatch.label,
    pipeline: compiled[i]!,
    workgroups: dispatch.workgroups,
    bindGroup: device.createBindGroup({
      layout: layoutFor(device, dispatch),
      entries: [
        { binding: 0, resource: { buffer: uniforms, offset: i * UNIFORM_STRIDE, size: UNIFORM_STRIDE } },
        ...dispatch.bindings.map(({ binding, buffer }) => ({ binding, resource: { buffer: bufferFor(buffer) } })),
      ],
    }),
  }));
  const real = (view: View<Slot>): View<GPUBuffer> => ({ ...view, buffer: bufferFor(view.buffer) });
  const inputs = new Map([...lowered.inputs].map(([name, view]) => [name, real(view)]));
  return { steps, inputs, output: real(lowered.output), bytes, destroy };
}

/** Encodes all steps in one compute pass. */
export function encode(encoder: GPUCommandEncoder, plan: Plan): void {
  const pass = encoder.beginComputePass();
  let current: GPUComputePipeline | null = null;
  for (const { pipeline, bindGroup, workgroups } of plan.steps) {
    if (pipeline !== current) pass.setPipeline((current = pipeline));
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}

/** Bytes of all activations. */
export const bytesOf = ({ floats }: Assignment): number => 4 * floats.reduce((a, b) => a + b, 0);

/** Which of the device's limits a program exceeds, as a clause; null where it can run. */
export function obstacleTo(device: GPUDevice, { dispatches }: Lowered, { floats }: Assignment): string | null {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const largest = 4 * Math.max(...floats);
  if (largest > limit) {
    return `this image needs a buffer of ${mebibytes(largest)}, and the adapter allows ${mebibytes(limit)}`;
  }
  const most = device.limits.maxComputeWorkgroupsPerDimension;
  const wide = dispatches.find(({ workgroups }) => workgroups.some((count) => count > most));
  if (!wide) return null;
  return `step ${wide.label} needs ${Math.max(...wide.workgroups)} workgroups in a row, and the adapter allows ${most}`;
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
