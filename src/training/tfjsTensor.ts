import * as tf from '@tensorflow/tfjs';
import { ShapeError } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';

/** A float32 tensor on the current backend. */
export function toTensor({ shape, data }: StoredTensor): tf.Tensor {
  return tf.tensor(data instanceof Float32Array ? data : Float32Array.from(data), [...shape], 'float32');
}

/**
 * The sizes of an image tensor [N, H, W, C].
 * @throws ShapeError for any other rank, naming the operator
 */
export function imageShape(x: tf.Tensor, operator: string): [n: number, h: number, w: number, c: number] {
  if (x.rank !== 4) {
    throw new ShapeError(`${operator}: found shape [${x.shape.join(', ')}], expected an image [N, H, W, C]`);
  }
  const [n, h, w, c] = x.shape;
  return [n, h, w, c];
}
