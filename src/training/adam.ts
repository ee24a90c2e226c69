import * as tf from '@tensorflow/tfjs';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Parameters, and the running means of their gradients and of the gradients' squares, all of one length. */
export interface AdamState {
  readonly parameters: tf.Tensor1D;
  readonly first: tf.Tensor1D;
  readonly second: tf.Tensor1D;
}

/**
 * One step of Adam (Kingma and Ba 2015; 0.9, 0.999, 1e-8; no weight decay) over all parameters at once. The state given
 * stays as it is; the caller disposes the new one.
 *
 * @param step counted from 1
 */
export function adamStep(state: AdamState, gradient: tf.Tensor, rate: number, step: number): AdamState {
  const first = tf.tidy(() => tf.add(tf.mul(state.first, BETA1), tf.mul(gradient, 1 - BETA1)) as tf.Tensor1D);
  const second = tf.tidy(() =>
    tf.add(tf.mul(state.second, BETA2), tf.mul(tf.square(gradient), 1 - BETA2)) as tf.Tensor1D);
  const parameters = tf.tidy(() => {
    const scale = tf.tidy(() => tf.add(tf.sqrt(tf.mul(second, 1 / (1 - BETA2 ** step))), EPSILON));
    const change = tf.tidy(() => tf.div(tf.mul(first, rate / (1 - BETA1 ** step)), scale));
    scale.dispose();
    return tf.sub(state.parameters, change) as tf.Tensor1D;
  });
  return { parameters, first, second };
}
