import { bytesEach, pixelsOf } from '../kernels/kernel.ts';
import { variantsFor, type Variants } from '../kernels/variants.ts';
import type { Program } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { lookupIn, parameterIn, readBack } from './engine.ts';
import { toHalves } from './float16.ts';
import { fuse } from './fuse.ts';
import type { Handle, ImageShape } from './graph.ts';
import { recordingOps } from './graph.ts';
import { fusionFor } from './fusionFor.ts';
import { lower } from './lower.ts';
import { compile, encode, WeightBuffers } from './plan.ts';

/**
 * Runs any program over `Ops` once on the device, through recording, fusion and planning: how single operators and
 * modules are checked.
 *
 * @param activations [N, H, W, C] each, by name
 * @param weights in the layouts of `Ops`, by name
 */
export async function runProgram(
  device: GPUDevice,
  program: Program,
  activations: ReadonlyMap<string, StoredTensor>,
  weights: ReadonlyMap<string, StoredTensor>,
  variants: Variants = variantsFor(device),
): Promise<{ shape: readonly number[]; data: Float32Array }> {
  const ops = recordingOps();
  const parameter = parameterIn(weights);
  const inputs = new Map<string, Handle>();
  const handle = (name: string): Handle => {
    const known = inputs.get(name);
    if (known) return known;
    const activation = activations.get(name);
    const made = activation ? ops.input(name, activation.shape as ImageShape) : parameter(name);
    inputs.set(name, made);
    return made;
  };
  const output = program<Handle>(ops, handle);
  if (output.op === 'parameter') throw new ShapeError('engine: the program returned a weight');

  const buffers = new WeightBuffers(device);
  const plan = await compile(device, lower(fuse(output, fusionFor(variants)), lookupIn(weights), variants), buffers);
  for (const [name, view] of plan.inputs) {
    const { data } = activations.get(name)!;
    const padded = new Float32Array(pixelsOf(view) * view.stride);
    for (let pixel = 0; pixel < pixelsOf(view); pixel++) {
      for (let c = 0; c < view.channels; c++) padded[pixel * view.stride + c] = data[pixel * view.channels + c]!;
    }
    device.queue.writeBuffer(view.buffer, 0, bytesEach(view) === 2 ? toHalves(padded) : padded);
  }
  const encoder = device.createCommandEncoder();
  encode(encoder, plan);
  device.queue.submit([encoder.finish()]);
  const data = await readBack(device, plan.output);
  plan.destroy();
  buffers.destroy();
  return { shape: output.shape, data };
}
