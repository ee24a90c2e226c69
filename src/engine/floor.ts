import type { Dispatch } from '../kernels/kernel.ts';
import { layoutFor, pipelineFor } from '../kernels/pipeline.ts';
import { probeCopy, probeFlops, probeMultiplyAdd } from '../kernels/probe.ts';
import { stages, type Config } from '../model/config.ts';
import { countMacs } from './cost.ts';

/** What a device does at most, measured. */
export interface DeviceRates {
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
}

/** The least that an image through the network can take on a device. */
export interface Floor {
  readonly flops: number;
  /** Read and written, were everything fused that can be. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * Elements that a block reads and writes, times channels and tokens, were it fused as far as the recurrences allow:
 * 1 + 3 from layer norm to R, K, V; 5 + 5 for two passes of Re-WKV, gate, projection and residual in the second; 2 + 2
 * for the two mixes' ends.
 */
const TRAFFIC = 18;

/**
 * @param rates of the device, as `measureRates` finds them
 * @param half activations are stored as float16
 */
export function floorOf(config: Config, height: number, width: number, rates: DeviceRates, half = false): Floor {
  const flops = 2 * countMacs(config, height, width);
  const bytes = (half ? 2 : 4) * TRAFFIC * stages(config).reduce((sum, { name, width: channels, blocks }) => {
    const level = name === 'latent' ? 3 : name === 'refinement' ? 0 : Number(name.at(-1)) - 1;
    return sum + channels * blocks * (height / 2 ** level) * (width / 2 ** level);
  }, 0);
  const milliseconds = 1000 * Math.max(flops / rates.flopsPerSecond, bytes / rates.bytesPerSecond);
  return { flops, bytes, milliseconds };
}

/** vec4s of a copy: 32 MiB, beyond the caches of most GPUs. */
const COPIED = 2 ** 21;
/** Threads of the multiply-adds, and multiply-adds of each of their chains. */
const THREADS = 2 ** 16;
const ROUNDS = 64;
/** A measurement takes at least so long (ms), so that submitting does not count. */
const LONG_ENOUGH = 50;

/** Copies and multiply-adds as fast as the device goes; takes some tenths of a second and 64 MiB. */
export async function measureRates(device: GPUDevice): Promise<DeviceRates> {
  const buffers = [0, 1].map(() => device.createBuffer({ size: 16 * COPIED, usage: GPUBufferUsage.STORAGE }));
  const [from, to] = buffers as [GPUBuffer, GPUBuffer];
  try {
    const copy = await secondsOf(device, probeCopy({ from, to, count: COPIED }));
    const add = await secondsOf(device, probeMultiplyAdd({ from, to, count: THREADS }, ROUNDS));
    return { bytesPerSecond: (32 * COPIED) / copy, flopsPerSecond: probeFlops(THREADS, ROUNDS) / add };
  } finally {
    buffers.forEach((buffer) => buffer.destroy());
  }
}

/** Seconds of one dispatch among as many as last long enough. */
async function secondsOf(device: GPUDevice, dispatch: Dispatch<GPUBuffer>): Promise<number> {
  const pipeline = await pipelineFor(device, dispatch);
  const uniform = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
  new Uint32Array(uniform.getMappedRange()).set(dispatch.params);
  uniform.unmap();
  const bindGroup = device.createBindGroup({
    layout: layoutFor(device, dispatch),
    entries: [
      { binding: 0, resource: { buffer: uniform } },
      ...dispatch.bindings.map(({ binding, buffer }) => ({ binding, resource: { buffer } })),
    ],
  });
  const run = async (times: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...dispatch.workgroups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - start;
  };
  await run(1);
  let [times, milliseconds] = [1, 0];
  while ((milliseconds = await run(times)) < LONG_ENOUGH && times < 2 ** 16) times *= 2;
  uniform.destroy();
  return milliseconds / times / 1000;
}
