import * as tf from '@tensorflow/tfjs';
import { biWkvGradient, biWkvGradientScratch } from '../kernels/biWkv.gradient.ts';
import { biWkv, biWkvScratch } from '../kernels/biWkv.ts';
import { activationGradient, mulGradient, scaleGradient, scaleGradientScratch } from '../kernels/elementwise.gradient.ts';
import { convGradient, convGradientScratch, convTight } from '../kernels/conv.gradient.ts';
import { elementwise } from '../kernels/elementwise.ts';
import { lanesFor, wholeView, type Dispatch, type View } from '../kernels/kernel.ts';
import { layerNormGradient, layerNormGradientScratch } from '../kernels/layerNorm.gradient.ts';
import { layerNorm } from '../kernels/layerNorm.ts';
import { linearGradient, linearGradientScratch } from '../kernels/linear.gradient.ts';
import { linear } from '../kernels/linear.ts';
import { mergeOmniShiftGradient } from '../kernels/mergeOmniShift.gradient.ts';
import { mergeOmniShift } from '../kernels/mergeOmniShift.ts';
import { omniShiftGradient, omniShiftGradientScratch } from '../kernels/omniShift.gradient.ts';
import { omniShift } from '../kernels/omniShift.ts';
import type { Scan } from '../model/ops.ts';
import { differentiable } from './tfjsDifferentiable.ts';
import { tfjsGpu, type TfjsGpu } from './tfjsGpu.ts';
import { tfjsOps } from './tfjsOps.ts';
import { imageShape } from './tfjsTensor.ts';
import type { TrainingOps } from './tfjsTrainingOps.ts';

/**
 * Training does not know its decays on the processor: that from which chunks are made as short as this would need.
 * Decays begin near 1 and move by at most a learning rate a step.
 */
const LARGEST_DECAY = 64;

type Tensors = readonly tf.Tensor[];

/**
 * An operator that tfjs can differentiate, made of dispatches of ours.
 *
 * @param forward the result
 * @param kept what the gradient needs of inputs and result
 * @param backward the gradient of each input, from g = ∂L/∂result and what was kept
 */
const operator = (
  forward: (gpu: TfjsGpu, inputs: Tensors) => tf.Tensor,
  kept: (inputs: Tensors, result: tf.Tensor) => Tensors,
  backward: (gpu: TfjsGpu, g: tf.Tensor, kept: Tensors) => tf.Tensor[],
) => differentiable(
  (...inputs) => {
    const value = forward(tfjsGpu(), inputs);
    return { value, keep: [...kept(inputs, value)] };
  },
  (g, kept) => backward(tfjsGpu(), g, kept),
);

/** The result of a single dispatch. */
function computed(gpu: TfjsGpu, shape: readonly number[], dispatch: (y: tf.Tensor) => Dispatch<tf.TensorInfo>): tf.Tensor {
  const y = gpu.tensor(shape);
  gpu.run([dispatch(y)]);
  return y;
}

function withScratch(gpu: TfjsGpu, floats: number, dispatches: (scratch: tf.TensorInfo) => Dispatch<tf.TensorInfo>[]): void {
  const scratch = gpu.scratch(floats);
  gpu.run(dispatches(scratch));
  gpu.release(scratch);
}

/** Tensors have no padding channels. */
const view = (x: tf.Tensor): View<tf.TensorInfo> => {
  const channels = channelsOf(x);
  return { ...wholeView<tf.TensorInfo>(x, x.shape), lanes: channels, stride: channels };
};
const like = (gpu: TfjsGpu, x: tf.Tensor) => gpu.tensor(x.shape);
const channelsOf = ({ shape }: tf.Tensor) => shape[shape.length - 1];

const tokensOf = (x: tf.Tensor) => x.size / channelsOf(x);

/** Images whose channels fill vec4s, which is how kernels read them. */
const fits = (...images: tf.Tensor[]) => images.every((x) => x.rank === 4 && channelsOf(x) % 4 === 0);

const product1x1 = operator(
  (gpu, [x, weight, bias]) => computed(gpu, [...x.shape.slice(0, 3), channelsOf(weight)], (y) => linear<tf.TensorInfo>({
    x: view(x), weight, bias, y: view(y),
  }, gpu.variants.linear)),
  ([x, weight, bias]) => (bias ? [x, weight, bias] : [x, weight]),
  (gpu, g, [x, weight, bias]) => {
    const gradients = [x, weight, ...(bias ? [bias] : [])].map((input) => like(gpu, input));
    const [gX, gWeight, gBias = null] = gradients;
    const size = { tokens: tokensOf(x), inputs: channelsOf(x), outputs: channelsOf(weight) };
    withScratch(gpu, linearGradientScratch(size, gpu.variants.linearGradient), (partials) =>
      linearGradient<tf.TensorInfo>(
        { x: view(x), weight, g: view(g), gX: view(gX), gWeight, gBias, partials }, gpu.variants.linearGradient,
      ));
    return gradients;
  },
);

const product3x3 = operator(
  (gpu, [x, weight, bias]) => {
    const y = gpu.tensor([...x.shape.slice(0, 3), channelsOf(weight)]);
    gpu.run(convTight<tf.TensorInfo>({ x: view(x), weight, bias, y: view(y) }, gpu.variants.convGradient));
    return y;
  },
  ([x, weight, bias]) => (bias ? [x, weight, bias] : [x, weight]),
  (gpu, g, [x, weight, bias]) => {
    const gradients = [x, weight, ...(bias ? [bias] : [])].map((input) => like(gpu, input));
    const [gX, gWeight, gBias = null] = gradients;
    const [batch, height, width, inputs] = x.shape;
    const size = { batch, height, width, inputs, outputs: channelsOf(weight) };
    withScratch(gpu, convGradientScratch(size, gpu.variants.convGradient), (partials) =>
      convGradient<tf.TensorInfo>(
        { x: view(x), weight, g: view(g), gX: view(gX), gWeight, gBias, partials }, gpu.variants.convGradient,
      ));
    return gradients;
  },
);

const norm = operator(
  (gpu, [x, weight, bias]) => computed(gpu, x.shape, (y) =>
    layerNorm<tf.TensorInfo>({ x: view(x), weight, bias, y: view(y) }, gpu.variants.layerNorm)),
  ([x, weight]) => [x, weight],
  (gpu, g, [x, weight]) => {
    const [gX, gWeight, gBias] = [x, weight, weight].map((input) => like(gpu, input));
    const size = { tokens: tokensOf(x), channels: channelsOf(x) };
    withScratch(gpu, layerNormGradientScratch(size, gpu.variants.layerNormGradient), (partials) =>
      layerNormGradient<tf.TensorInfo>(
        { x: view(x), weight, g: view(g), gX: view(gX), gWeight, gBias, partials }, gpu.variants.layerNormGradient,
      ));
    return [gX, gWeight, gBias];
  },
);

const shiftOf = operator(
  (gpu, [x, kernel]) =>
    computed(gpu, x.shape, (y) => omniShift<tf.TensorInfo>({ x: view(x), kernel, y: view(y) }, gpu.variants.omniShift)),
  (inputs) => inputs,
  (gpu, g, [x, kernel]) => {
    const [gX, gKernel] = [like(gpu, x), like(gpu, kernel)];
    withScratch(gpu, omniShiftGradientScratch(view(x), gpu.variants.omniShiftGradient), (partials) =>
      omniShiftGradient<tf.TensorInfo>(
        { x: view(x), kernel, g: view(g), gX: view(gX), gKernel, partials }, gpu.variants,
      ));
    return [gX, gKernel];
  },
);

const scanOf = (scan: Scan) => operator(
  (gpu, [key, value, decay, bonus]) => {
    const y = like(gpu, key);
    const floats = biWkvScratch(view(key), LARGEST_DECAY, gpu.variants.biWkv);
    const [states, carries] = [gpu.scratch(floats.states), gpu.scratch(floats.carries)];
    gpu.run(biWkv<tf.TensorInfo>({
      key: view(key), value: view(value), decay, bonus, y: view(y), scan, states, carries, largestDecay: LARGEST_DECAY,
    }, gpu.variants.biWkv));
    gpu.release(states);
    gpu.release(carries);
    return y;
  },
  (inputs, y) => [...inputs, y],
  (gpu, g, [key, value, decay, bonus, y]) => {
    const [gKey, gValue, gDecay, gBonus] = [key, value, decay, bonus].map((input) => like(gpu, input));
    const sums = gpu.scratch(biWkvGradientScratch(view(key), LARGEST_DECAY, gpu.variants.biWkv).sums);
    gpu.run(biWkvGradient<tf.TensorInfo>({
      key: view(key), value: view(value), decay, bonus, y: view(y), g: view(g),
      gKey: view(gKey), gValue: view(gValue), gDecay, gBonus,
      scan, scratch: { sums }, largestDecay: LARGEST_DECAY,
    }, gpu.variants.biWkv));
    gpu.release(sums);
    return [gKey, gValue, gDecay, gBonus];
  },
);
const scans = { rows: scanOf('rows'), columns: scanOf('columns') };

const merge = operator(
  (gpu, [alpha, conv1x1, conv3x3, conv5x5]) => {
    const channels = conv5x5.shape[0];
    return computed(gpu, [5, 5, channels], (kernel) =>
      mergeOmniShift<tf.TensorInfo>({ branches: { alpha, conv1x1, conv3x3, conv5x5 }, channels, kernel }));
  },
  (inputs) => inputs,
  (gpu, g, [alpha, conv1x1, conv3x3, conv5x5]) => {
    const branches = { alpha, conv1x1, conv3x3, conv5x5 };
    const [gAlpha, g1x1, g3x3, g5x5] = [alpha, conv1x1, conv3x3, conv5x5].map((input) => like(gpu, input));
    const gradients = { alpha: gAlpha, conv1x1: g1x1, conv3x3: g3x3, conv5x5: g5x5 };
    gpu.run(mergeOmniShiftGradient<tf.TensorInfo>({ branches, g, channels: conv5x5.shape[0], gradients }));
    return [gAlpha, g1x1, g3x3, g5x5];
  },
);

const product = operator(
  (gpu, [a, b]) => computed(gpu, a.shape, (y) => elementwise<tf.TensorInfo>('mul', { a: view(a), b: view(b), y: view(y) })),
  (inputs) => inputs,
  (gpu, g, [a, b]) => {
    const [gA, gB] = [like(gpu, a), like(gpu, b)];
    gpu.run([mulGradient<tf.TensorInfo>({ a, b, g, gA, gB, size: a.size })]);
    return [gA, gB];
  },
);

const scaled = operator(
  (gpu, [x, scale]) =>
    computed(gpu, x.shape, (y) => elementwise<tf.TensorInfo>('scale', { a: view(x), scale, y: view(y) })),
  (inputs) => inputs,
  (gpu, g, [x, scale]) => {
    const channels = scale.size;
    const tokens = x.size / channels;
    const [gX, gScale] = [like(gpu, x), like(gpu, scale)];
    withScratch(gpu, scaleGradientScratch(tokens, channels, gpu.variants.scaleGradient), (partials) =>
      scaleGradient<tf.TensorInfo>({ x, scale, g, gX, gScale, partials, tokens, channels }, gpu.variants.scaleGradient));
    return [gX, gScale];
  },
);

const activation = (operation: 'sigmoid' | 'squaredRelu') => operator(
  (gpu, [x]) => computed(gpu, x.shape, (y) => elementwise<tf.TensorInfo>(operation, { a: view(x), y: view(y) })),
  ([x], y) => [operation === 'sigmoid' ? y : x],
  (gpu, g, [of]) => [
    computed(gpu, of.shape, (gX) => activationGradient<tf.TensorInfo>(operation, { of, g, gX, size: of.size })),
  ],
);
const activations = { sigmoid: activation('sigmoid'), squaredRelu: activation('squaredRelu') };

/** Runs an operator that treats channels apart on channels of zeros too, as many as fill vec4s. */
function channelsFilled(inputs: readonly tf.Tensor[], run: (filled: tf.Tensor[]) => tf.Tensor): tf.Tensor {
  const [x] = inputs;
  const missing = lanesFor(channelsOf(x)) - channelsOf(x);
  if (missing === 0) return run([...inputs]);
  return tf.tidy(() => {
    const filled = inputs.map((input) => tf.pad(input, input.shape.map((_, axis): [number, number] => {
      return [0, axis === input.rank - 1 ? missing : 0];
    })));
    return tf.slice(run(filled), x.shape.map(() => 0), x.shape);
  });
}

/** The operators on our kernels, for tfjs's WebGPU backend; where channels do not fill vec4s, tfjs's own. */
export const gpuTrainingOps: TrainingOps = {
  ...tfjsOps,

  conv(x, weight, bias) {
    const inputs = bias ? [x, weight, bias] : [x, weight];
    if (x.rank === 4 && weight.shape[0] === 3) return product3x3(...inputs);
    if (weight.shape[0] !== 1 || !fits(x, weight)) return tfjsOps.conv(x, weight, bias);
    return tf.tidy(() => product1x1(x, tf.reshape(weight, weight.shape.slice(2)), ...inputs.slice(2)));
  },
  linear: (x, weight) =>
    (fits(x) && channelsOf(weight) % 4 === 0 ? product1x1(x, weight) : tfjsOps.linear(x, weight)),
  layerNorm: (x, weight, bias) => (fits(x) ? norm(x, weight, bias) : tfjsOps.layerNorm(x, weight, bias)),
  omniShift: (x, kernel) => channelsFilled([x, kernel], (filled) => shiftOf(...filled)),
  biWkv(key, value, decay, bonus, scan) {
    imageShape(key, 'biWkv key');
    return channelsFilled([key, value, decay, bonus], (filled) => scans[scan](...filled));
  },
  mergeOmniShift: merge,

  mul(a, b) {
    if (!fits(a)) return tfjsOps.mul(a, b);
    return b.rank === 1 ? scaled(a, b) : product(a, b);
  },
  sigmoid: (x) => (fits(x) ? activations.sigmoid(x) : tfjsOps.sigmoid(x)),
  squaredRelu: (x) => (fits(x) ? activations.squaredRelu(x) : tfjsOps.squaredRelu(x)),
};
