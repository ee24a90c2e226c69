import * as tf from '@tensorflow/tfjs';
import { elementCount, type StoredTensor } from '../weights/tensor.ts';
import type { TrainingOptions } from './training.ts';

/** A parameter's place in the flat vector of all that is trained. */
export interface Leaf {
  readonly path: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/** The encoder and the latent; what follows, from the first upsampling on, is decoder and refinement. */
const ENCODER = /^(patch_embed|encoder_level\d|down\d_\d|latent)\./;

/** Whether the parameter at a path is among the parts to train. */
export const isTrained = (path: string, parts: TrainingOptions['parts']): boolean =>
  parts === 'all' || !ENCODER.test(path);

/** The places of tensors one after another, in their order. */
export function leavesOf(tensors: ReadonlyMap<string, StoredTensor>): Leaf[] {
  let offset = 0;
  return [...tensors].map(([path, { shape }]) => {
    const leaf = { path, shape, offset, size: elementCount(shape) };
    offset += leaf.size;
    return leaf;
  });
}

/** All tensors as one vector, in float32. */
export function flatten(tensors: ReadonlyMap<string, StoredTensor>, leaves: readonly Leaf[]): Float32Array {
  const flat = new Float32Array(leaves.reduce((sum, { size }) => sum + size, 0));
  for (const { path, offset } of leaves) flat.set(tensors.get(path)!.data, offset);
  return flat;
}

/** The inverse of `flatten`; the tensors are views of the vector. */
export function unflatten(flat: Float32Array, leaves: readonly Leaf[]): Map<string, StoredTensor> {
  return new Map(leaves.map(({ path, shape, offset, size }) =>
    [path, { shape, data: flat.subarray(offset, offset + size) }]));
}

/** The leaves of a vector on the device, as tensors of their own. */
export function slices(flat: tf.Tensor1D, leaves: readonly Leaf[]): tf.Tensor[] {
  return leaves.map(({ shape, offset, size }) => tf.tidy(() => tf.reshape(tf.slice(flat, offset, size), [...shape])));
}
