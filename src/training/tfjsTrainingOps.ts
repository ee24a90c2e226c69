import * as tf from '@tensorflow/tfjs';
import type { Ops } from '../model/ops.ts';
import { gpuTrainingOps } from './tfjsGpuOps.ts';
import { tfjsOps } from './tfjsOps.ts';
import { wasmOps } from './tfjsWasmOps.ts';

/** The network's operators with gradients, and the one that only training has. */
export interface TrainingOps extends Ops<tf.Tensor> {
  /**
   * Eq. 11 merged: alpha [4], conv1x1 [C, 1, 1, 1], conv3x3 [C, 1, 3, 3], conv5x5 [C, 1, 5, 5] → kernel [5, 5, C].
   * Differentiable in all four, so that the branches are what is trained.
   */
  mergeOmniShift(alpha: tf.Tensor, conv1x1: tf.Tensor, conv3x3: tf.Tensor, conv5x5: tf.Tensor): tf.Tensor;
}

/** From tfjs's own differentiable operators, for any backend. */
export const stockTrainingOps: TrainingOps = {
  ...tfjsOps,

  mergeOmniShift: (alpha, conv1x1, conv3x3, conv5x5) =>
    tf.tidy(() => {
      const weighted = (branch: number, weight: tf.Tensor) => {
        const [c, , k] = weight.shape;
        const margin = (5 - k) / 2;
        const kernel = tf.mul(tf.reshape(weight, [c, k, k]), tf.slice(alpha, [branch], [1]));
        return tf.pad(kernel, [[0, 0], [margin, margin], [margin, margin]]);
      };
      const identity = weighted(0, tf.ones([conv1x1.shape[0], 1, 1, 1]));
      const branches = [identity, weighted(1, conv1x1), weighted(2, conv3x3), weighted(3, conv5x5)];
      return tf.transpose(branches.reduce((sum, branch) => tf.add(sum, branch)), [1, 2, 0]);
    }),
};

/** The fastest operators that there are for the current backend. */
export function trainingOps(): TrainingOps {
  const backend = tf.getBackend();
  if (backend === 'webgpu') return gpuTrainingOps;
  return backend === 'wasm' ? wasmOps() : stockTrainingOps;
}
