import * as tf from '@tensorflow/tfjs';
import type { Ops } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import { biWkv } from './tfjsBiWkv.ts';
import { convolution, depthwiseConvolution } from './tfjsConvolution.ts';
import { imageShape } from './tfjsTensor.ts';

/** Of the layer norms, as in the public code. */
const EPSILON = 1e-5;

/**
 * The network's operators on tfjs tensors, from tfjs's own differentiable operators: they run on any backend, eagerly.
 *
 * Images are [N, H, W, C]; parameters [C], [I, O], [k, k, I, O] and [5, 5, C]. Run them within `tf.tidy`. An operator
 * is replaced by spreading: `{ ...tfjsOps, biWkv: faster }`.
 */
export const tfjsOps: Ops<tf.Tensor> = {
  conv(x, weight, bias) {
    const y = convolution(x, weight);
    return bias ? tf.add(y, bias) : y;
  },

  linear(x, weight) {
    const [inputs, outputs] = weight.shape;
    const tokens = tf.reshape(x, [-1, inputs]);
    return tf.reshape(tf.matMul(tokens, weight), [...x.shape.slice(0, -1), outputs]);
  },

  layerNorm(x, weight, bias) {
    return tf.tidy(() => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const variance = tf.mean(tf.square(centred), -1, true);
      return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, EPSILON))), weight), bias);
    });
  },

  omniShift: depthwiseConvolution,
  biWkv,

  add: (a, b) => tf.add(a, b),
  mul: (a, b) => tf.mul(a, b),
  sigmoid: (x) => tf.sigmoid(x),
  squaredRelu: (x) => tf.square(tf.relu(x)),
  concat: (a, b) => tf.concat([a, b], 3),

  // Images and rows are folded into one axis so that five remain: tfjs has no gradient for its own depthToSpace, whose
  // channel order is not PyTorch's either.
  pixelShuffle(x) {
    const [n, h, w, c4] = imageShape(x, 'pixelShuffle');
    if (c4 % 4 !== 0) {
      throw new ShapeError(`pixelShuffle: found ${c4} channels, expected a multiple of 4; check the weights`);
    }
    const c = c4 / 4;
    const offsets = tf.reshape(x, [n * h, w, c, 2, 2]);
    return tf.reshape(tf.transpose(offsets, [0, 3, 1, 4, 2]), [n, 2 * h, 2 * w, c]);
  },

  pixelUnshuffle(x) {
    const [n, h, w, c] = imageShape(x, 'pixelUnshuffle');
    if (h % 2 !== 0 || w % 2 !== 0) {
      throw new ShapeError(`pixelUnshuffle: found ${h}×${w} pixels, expected even sizes; pad the image first`);
    }
    const offsets = tf.reshape(x, [(n * h) / 2, 2, w / 2, 2, c]);
    return tf.reshape(tf.transpose(offsets, [0, 2, 4, 1, 3]), [n, h / 2, w / 2, 4 * c]);
  },
};
