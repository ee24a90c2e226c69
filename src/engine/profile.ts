import type { Plan } from './plan.ts';

/** Where a plan's time goes: the dispatches of one label together. */
export interface KernelTime {
  readonly label: string;
  readonly dispatches: number;
  readonly milliseconds: number;
}

/** A query set holds at most so many timestamps. */
const MOST_QUERIES = 4096;

/**
 * Runs a plan once with every dispatch in a pass of its own and reads the passes' timestamps. Slower than a run, as
 * dispatches cannot overlap; browsers round timestamps to 100 µs, so that short kernels may read as zero there.
 *
 * @returns null where the device has no timestamps
 */
export async function profile(device: GPUDevice, plan: Plan): Promise<KernelTime[] | null> {
  const { steps } = plan;
  if (!device.features.has('timestamp-query') || 2 * steps.length > MOST_QUERIES) return null;
  const count = 2 * steps.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({ size: 8 * count, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: 8 * count, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  steps.forEach(({ pipeline, bindGroup, workgroups }, i) => {
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  });
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, staging.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const times = new BigUint64Array(staging.getMappedRange().slice(0));
  [querySet, resolved, staging].forEach((resource) => resource.destroy());

  const kernels = new Map<string, { dispatches: number; milliseconds: number }>();
  steps.forEach(({ label }, i) => {
    const known = kernels.get(label) ?? { dispatches: 0, milliseconds: 0 };
    known.dispatches++;
    known.milliseconds += Number(times[2 * i + 1]! - times[2 * i]!) / 1e6;
    kernels.set(label, known);
  });
  return [...kernels].map(([label, time]) => ({ label, ...time })).sort((a, b) => b.milliseconds - a.milliseconds);
}
