import type { Dispatch } from '../kernels/kernel.ts';
import { layoutFor, pipelineFor } from '../kernels/pipeline.ts';

/**
 * For tests: runs dispatches over buffers that go by names, each made of its values or of a number of floats, and reads
 * the named ones back. Buffers begin filled with NaN unless given values, so that what a kernel fails to write is seen.
 */
export async function runDispatches(
  device: GPUDevice,
  contents: Readonly<Record<string, ArrayLike<number> | number>>,
  dispatches: readonly Dispatch<string>[],
  wanted: readonly string[],
): Promise<Map<string, Float32Array>> {
  const buffers = new Map(Object.entries(contents).map(([name, content]): [string, GPUBuffer] => {
    const values = typeof content === 'number' ? new Float32Array(content).fill(NaN) : Float32Array.from(content);
    const buffer = device.createBuffer({
      label: name, size: Math.max(4, values.byteLength), mappedAtCreation: true,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    new Float32Array(buffer.getMappedRange(0, values.byteLength)).set(values);
    buffer.unmap();
    return [name, buffer];
  }));
  const encoder = device.createCommandEncoder();
  const uniforms: GPUBuffer[] = [];
  for (const dispatch of dispatches) {
    const pipeline = await pipelineFor(device, dispatch);
    const uniform = device.createBuffer({ size: 256, usage: GPUBufferUsage.UNIFORM, mappedAtCreation: true });
    new Uint32Array(uniform.getMappedRange()).set(dispatch.params);
    uniform.unmap();
    uniforms.push(uniform);
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({
      layout: layoutFor(device, dispatch),
      entries: [
        { binding: 0, resource: { buffer: uniform } },
        ...dispatch.bindings.map(({ binding, buffer }) => ({ binding, resource: { buffer: buffers.get(buffer)! } })),
      ],
    }));
    pass.dispatchWorkgroups(...dispatch.workgroups);
    pass.end();
  }
  const staging = wanted.map((name) => {
    const { size } = buffers.get(name)!;
    const copy = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.copyBufferToBuffer(buffers.get(name)!, 0, copy, 0, size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  const results = new Map<string, Float32Array>();
  for (const [i, copy] of staging.entries()) {
    await copy.mapAsync(GPUMapMode.READ);
    results.set(wanted[i]!, new Float32Array(copy.getMappedRange().slice(0)));
  }
  for (const buffer of [...buffers.values(), ...uniforms, ...staging]) buffer.destroy();
  return results;
}
