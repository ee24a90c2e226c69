import * as tf from '@tensorflow/tfjs';

// tfjs has no wasm kernels for the gradients of its convolutions. These are composed of operators that every backend
// has. With stride 1, zero padding and an odd kernel, the gradient for the input is the same convolution by the kernel
// turned by 180°, and the gradient for tap (i, j) pairs the gradient of the output with the input shifted by that tap.

/** 2-D convolution, stride 1, zero padding. x [N, H, W, I], weight [k, k, I, O], k odd → [N, H, W, O] */
export const convolution: (x: tf.Tensor, weight: tf.Tensor) => tf.Tensor = tf.customGrad((...parameters) => {
  const [x, weight, save] = parameters as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
  save([x, weight]);
  return {
    value: tf.conv2d(x, weight, 1, 'same'),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x, weight] = saved;
      const [size, , inputs, outputs] = weight.shape;
      const turned = tf.transpose(tf.reverse(weight, [0, 1]), [0, 1, 3, 2]) as tf.Tensor4D;
      const outputGradient = tf.reshape(dy, [-1, outputs]);
      const taps = shifts(x, size, (shifted) => tf.matMul(tf.reshape(shifted, [-1, inputs]), outputGradient, true));
      return [
        tf.conv2d(dy as tf.Tensor4D, turned, 1, 'same'),
        tf.reshape(tf.stack(taps), [size, size, inputs, outputs]),
      ];
    },
  };
});

/** Depth-wise convolution, stride 1, zero padding. x [N, H, W, C], kernel [k, k, C], k odd → [N, H, W, C] */
export const depthwiseConvolution: (x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor = tf.customGrad((...parameters) => {
  const [x, kernel, save] = parameters as [tf.Tensor4D, tf.Tensor3D, tf.GradSaveFunc];
  save([x, kernel]);
  const convolve = (x: tf.Tensor, kernel: tf.Tensor) =>
    tf.depthwiseConv2d(x as tf.Tensor4D, tf.expandDims(kernel, 3) as tf.Tensor4D, 1, 'same');
  return {
    value: convolve(x, kernel),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [x, kernel] = saved;
      const taps = shifts(x, kernel.shape[0], (shifted) => tf.sum(tf.mul(shifted, dy), [0, 1, 2]));
      return [convolve(dy, tf.reverse(kernel, [0, 1])), tf.reshape(tf.stack(taps), kernel.shape)];
    },
  };
});

/** What `use` makes of x shifted by each tap of a size × size kernel, row by row, with zeros from outside the image. */
function shifts(x: tf.Tensor, size: number, use: (shifted: tf.Tensor) => tf.Tensor): tf.Tensor[] {
  const margin = (size - 1) / 2;
  const padded = tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]]);
  return Array.from({ length: size * size }, (_, tap) =>
    tf.tidy(() => use(tf.slice(padded, [0, Math.floor(tap / size), tap % size, 0], x.shape))));
}
