import { lanesFor } from '../../kernels/kernel.ts';
import { fuseGate, fuseResidual, fuseSquaredRelu, foldScale, rewrite, type Rule } from '../../engine/fuse.ts';
import { recordingOps, type Handle, type ImageShape, type Node } from '../../engine/graph.ts';
import { ShapeError, type Ops } from '../../model/ops.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import { lower, type Lowered } from './lower.ts';

/** A gate is applied as a product is written; a scan's is multiplied where its bands are. */
const gateOfLinear: Rule = (node, onlyUser) => {
  const fused = fuseGate(node, onlyUser);
  return fused?.op === 'linear' ? fused : null;
};

/**
 * Records a computation on one image and lowers it.
 *
 * @param shapes of the activations, by name
 * @param parameter gives weights in the layouts of `Ops`
 */
export function lowerProgram(
  program: (ops: Ops<Handle>, input: (name: string) => Handle) => Handle,
  shapes: ReadonlyMap<string, ImageShape>, parameter: (path: string) => StoredTensor,
): Lowered {
  const ops = recordingOps();
  const inputs = new Map<string, Node>([...shapes].map(([name, shape]) => [name, ops.input(name, shape)]));
  const output = program(ops, (name) =>
    inputs.get(name) ?? { op: 'parameter', path: name, shape: parameter(name).shape });
  if (output.op === 'parameter') throw new ShapeError('wasm: the program returned a weight');
  return lower(rewrite(output, [foldScale, gateOfLinear, fuseSquaredRelu, fuseResidual]), parameter);
}

/** An image [H, W, C] as the machine holds it. */
export function writePadded(data: ArrayLike<number>, channels: number, to: Float32Array): void {
  const wide = lanesFor(channels);
  if (wide === channels) return to.set(data);
  to.fill(0);
  for (let at = 0, token = 0; at < data.length; token += wide) {
    for (let c = 0; c < channels; c++) to[token + c] = data[at++]!;
  }
}

/** The inverse. */
export function readPadded(from: Float32Array, channels: number): Float32Array {
  const wide = lanesFor(channels);
  const data = new Float32Array((from.length / wide) * channels);
  for (let at = 0, token = 0; at < data.length; token += wide) {
    for (let c = 0; c < channels; c++) data[at++] = from[token + c]!;
  }
  return data;
}
