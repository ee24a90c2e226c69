import * as tf from '@tensorflow/tfjs';

/** Gradients made by `differentiable`, which nobody outside of the tape has. */
const ownGradients = new WeakSet<tf.Tensor>();

/**
 * An operator with a gradient of its own. What the tape holds for it is freed as soon as the gradient is computed, and
 * so is the output's gradient if it came from such an operator too: tfjs keeps both to the end of the step.
 *
 * @param forward the output and what the gradient needs of inputs and output
 * @param backward the gradients for all inputs, each a tensor of its own, from the output's and what was kept
 */
export function differentiable(
  forward: (...inputs: tf.Tensor[]) => { value: tf.Tensor; keep: tf.Tensor[] },
  backward: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[],
): (...inputs: tf.Tensor[]) => tf.Tensor {
  return tf.customGrad((...parameters) => {
    const save = parameters.pop() as tf.GradSaveFunc;
    const { value, keep } = forward(...(parameters as tf.Tensor[]));
    save(keep);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradients = tf.tidy(() => backward(dy, saved));
        for (const gradient of gradients) ownGradients.add(gradient);
        tf.dispose(saved);
        if (ownGradients.has(dy)) dy.dispose();
        return gradients;
      },
    };
  }) as (...inputs: tf.Tensor[]) => tf.Tensor;
}
