import * as tf from '@tensorflow/tfjs';
import { ShapeError, type Scan } from '../model/ops.ts';
import { differentiable } from './tfjsDifferentiable.ts';
import { tfjsOps } from './tfjsOps.ts';
import { imageShape } from './tfjsTensor.ts';
import type { TrainingOps } from './tfjsTrainingOps.ts';
import { biWkv, biWkvGradient } from './tfjsWasmBiWkv.ts';
import { onHeap, shareMemoryOfClones } from './tfjsWasmHeap.ts';
import {
  columnSums, columnSumsOfProducts, layerNorm, layerNormGradient, mergeOmniShift, mergeOmniShiftGradient,
  omniShiftKernelGradient, shiftedPlanes, transpose, turned, turnedDepthwise,
} from './tfjsWasmKernels.ts';

// The wasm backend multiplies matrices and convolves at full speed, but not where one is transposed, and what it
// composes of many small operators is slow. Those parts are TypeScript on its heap.

/** @throws ShapeError unless x has exactly this shape: the heap's arrays do not know where a tensor ends */
function expectShape(operator: string, name: string, x: tf.Tensor, shape: readonly number[]): void {
  if (x.shape.join() === shape.join()) return;
  throw new ShapeError(`${operator}: found ${name} [${x.shape.join(', ')}], expected [${shape.join(', ')}]`);
}

/** (rows, columns) → (columns, rows) */
function transposed(x: tf.Tensor, rows: number, columns: number): tf.Tensor {
  return onHeap([x], [[columns, rows]], ([x], [y]) => transpose(x, rows, columns, y))[0];
}

/** aᵀ b of a [T, A] and b [T, B] → [A, B]. Of the two it is quicker to turn the wider and hand on the narrower. */
function productOverTokens(a: tf.Tensor, b: tf.Tensor, tokens: number): tf.Tensor {
  const [wide, narrow] = [a.size / tokens, b.size / tokens];
  if (wide < narrow) return transposed(productOverTokens(b, a, tokens), narrow, wide);
  return tf.matMul(transposed(a, tokens, wide), tf.reshape(b, [tokens, narrow]));
}

const linear = differentiable(
  (x, weight) => ({ value: tfjsOps.linear(x, weight), keep: [x, weight] }),
  (dy, [x, weight]) => {
    const [inputs, outputs] = weight.shape;
    return [
      tf.reshape(tf.matMul(tf.reshape(dy, [-1, outputs]), transposed(weight, inputs, outputs)), x.shape),
      productOverTokens(x, dy, x.size / inputs),
    ];
  },
);

const convolution = differentiable(
  (x, weight) => ({ value: tf.conv2d(x as tf.Tensor4D, weight as tf.Tensor4D, 1, 'same'), keep: [x, weight] }),
  (dy, [x, weight]) => {
    const [k, , inputs, outputs] = weight.shape;
    const tokens = x.size / inputs;
    const [back] = onHeap([weight], [[k, k, outputs, inputs]], ([from], [to]) => turned(from, k, inputs, outputs, to));
    const [planes] = onHeap([x], [[k * k * inputs, tokens]], ([from], [to]) =>
      shiftedPlanes(from, imageShape(x, 'conv'), k, to));
    return [
      tf.conv2d(dy as tf.Tensor4D, back as tf.Tensor4D, 1, 'same'),
      tf.reshape(tf.matMul(planes, tf.reshape(dy, [tokens, outputs])), weight.shape),
    ];
  },
);

const addBias = differentiable(
  (x, bias) => ({ value: tf.add(x, bias), keep: [bias] }),
  (dy, [bias]) => [tf.clone(dy), onHeap([dy], [bias.shape], ([dy], [sums]) => columnSums(dy, sums))[0]],
);

const normalise = differentiable(
  (x, weight, bias) => {
    const channels = [imageShape(x, 'layerNorm')[3]];
    expectShape('layerNorm', 'weight', weight, channels);
    expectShape('layerNorm', 'bias', bias, channels);
    const [y] = onHeap([x, weight, bias], [x.shape], ([x, weight, bias], [y]) => layerNorm(x, weight, bias, y));
    return { value: y, keep: [x, weight] };
  },
  (dy, [x, weight]) => onHeap([x, weight, dy], [x.shape, weight.shape, weight.shape], ([x, weight, g], gradients) => {
    const [gx, gWeight, gBias] = gradients;
    layerNormGradient(x, weight, g, gx, gWeight, gBias);
  }),
);

const shift = (x: tf.Tensor, kernel: tf.Tensor) =>
  tf.depthwiseConv2d(x as tf.Tensor4D, tf.expandDims(kernel, 3) as tf.Tensor4D, 1, 'same');

const omniShift = differentiable(
  (x, kernel) => {
    expectShape('omniShift', 'kernel', kernel, [5, 5, imageShape(x, 'omniShift')[3]]);
    return { value: shift(x, kernel), keep: [x, kernel] };
  },
  (dy, [x, kernel]) => {
    const { shape } = kernel;
    const [back] = onHeap([kernel], [shape], ([kernel], [y]) => turnedDepthwise(kernel, y));
    const [gKernel] = onHeap([x, dy], [shape], ([from, g], [y]) =>
      omniShiftKernelGradient(from, g, imageShape(x, 'omniShift'), y));
    return [shift(dy, back), gKernel];
  },
);

const scanned = (scan: Scan) => differentiable(
  (key, value, decay, bonus) => {
    const image = imageShape(key, 'biWkv key');
    expectShape('biWkv', 'value', value, image);
    expectShape('biWkv', 'decay', decay, [image[3]]);
    expectShape('biWkv', 'bonus', bonus, [image[3]]);
    const [y] = onHeap([key, value, decay, bonus], [key.shape], ([key, value, decay, bonus], [y]) =>
      biWkv({ key, value, decay, bonus }, { image, scan }, y));
    return { value: y, keep: [key, value, decay, bonus] };
  },
  (dy, kept) => {
    const image = imageShape(kept[0], 'biWkv key');
    return onHeap([...kept, dy], kept.map(({ shape }) => shape), (inputs, outputs) => {
      const [key, value, decay, bonus, g] = inputs;
      const [gKey, gValue, gDecay, gBonus] = outputs;
      biWkvGradient(
        { key, value, decay, bonus }, { image, scan }, g, { key: gKey, value: gValue, decay: gDecay, bonus: gBonus },
      );
    });
  },
);

const byScan = { rows: scanned('rows'), columns: scanned('columns') };

const sum = differentiable(
  (a, b) => {
    expectShape('add', 'the second summand', b, a.shape);
    return { value: tf.add(a, b), keep: [] };
  },
  (dy) => [tf.clone(dy), tf.clone(dy)],
);

const product = differentiable(
  (a, b) => {
    expectShape('mul', 'the second factor', b, b.rank === 1 ? a.shape.slice(-1) : a.shape);
    return { value: tf.mul(a, b), keep: [a, b] };
  },
  (dy, [a, b]) => [
    tf.mul(dy, b),
    b.rank === a.rank
      ? tf.mul(dy, a)
      : onHeap([dy, a], [b.shape], ([dy, a], [sums]) => columnSumsOfProducts(dy, a, sums))[0],
  ],
);

const sigmoid = differentiable(
  (x) => {
    const value = tf.sigmoid(x);
    return { value, keep: [value] };
  },
  (dy, [s]) => [tf.mul(dy, tf.sub(s, tf.square(s)))],
);

const squaredRelu = differentiable(
  (x) => {
    const positive = tf.relu(x);
    return { value: tf.square(positive), keep: [positive] };
  },
  (dy, [positive]) => [tf.mul(dy, tf.add(positive, positive))],
);

const merge = differentiable(
  (...branches) => {
    const c = branches[1].shape[0];
    const names = ['alpha', 'conv1x1', 'conv3x3', 'conv5x5'];
    [[4], [c, 1, 1, 1], [c, 1, 3, 3], [c, 1, 5, 5]].forEach((shape, i) =>
      expectShape('mergeOmniShift', names[i], branches[i], shape));
    const [merged] = onHeap(branches, [[5, 5, c]], ([alpha, ...kernels], [merged]) =>
      mergeOmniShift({ alpha, kernels }, merged));
    return { value: merged, keep: branches };
  },
  (dy, branches) => onHeap([...branches, dy], branches.map(({ shape }) => shape), (inputs, outputs) => {
    const [[alpha, ...kernels], g] = [inputs.slice(0, 4), inputs[4]];
    const [gAlpha, ...gKernels] = outputs;
    mergeOmniShiftGradient({ alpha, kernels }, g, { alpha: gAlpha, kernels: gKernels });
  }),
);

const operators: TrainingOps = {
  ...tfjsOps,
  conv: (x, weight, bias) => (bias ? addBias(convolution(x, weight), bias) : convolution(x, weight)),
  linear,
  layerNorm: normalise,
  omniShift,
  biWkv: (key, value, decay, bonus, scan) => byScan[scan](key, value, decay, bonus),
  add: sum,
  mul: product,
  sigmoid,
  squaredRelu,
  mergeOmniShift: merge,
};

/** The operators for the wasm backend, which must be running. They give the same as tfjs's own, and take any decay. */
export function wasmOps(): TrainingOps {
  shareMemoryOfClones();
  return operators;
}
