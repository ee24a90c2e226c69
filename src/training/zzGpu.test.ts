import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { referenceSubject } from '../conformance/referenceSubject.ts';
import { requestDevice } from '../engine/device.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { float64Image, type Float64Image } from '../kernels/float64Image.ts';
import { largestDifference, noise } from '../kernels/gradientCheck.ts';
import { mergeOmniShift, mergeOmniShiftGradient } from '../kernels/mergeOmniShift.reference.ts';
import type { Program } from '../model/ops.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { gpuTrainingOps } from './tfjsGpuOps.ts';
import { gradientsWithTfjs } from './tfjsSubject.ts';
import { toTensor } from './tfjsTensor.ts';

/** Sums over some thousand tokens of terms of either sign, in float32. */
const TOLERANCE = 2e-5;

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

let device: GPUDevice;
const failures: string[] = [];

beforeAll(async () => {
  const found = await requestDevice(await installNodeWebGpu());
  device = found.device;
  device.addEventListener('uncapturederror', (event) => failures.push((event as GPUUncapturedErrorEvent).error.message));
  await useTfjsBackend('webgpu', { device, adapterInfo: found.adapter.info });
});
afterAll(() => device.destroy());

/** An operator with its inputs' shapes; the first decides how many channels there are. */
type Operator = readonly [name: string, program: Program, shapes: Readonly<Record<string, readonly number[]>>];

const operators = (n: number, h: number, w: number, c: number): Operator[] => {
  const image = [n, h, w, c];
  return [
    ['conv 3×3 without bias', (ops, input) => ops.conv(input('x'), input('w'), null), { x: image, w: [3, 3, c, c + 2] }],
    ['conv 3×3 of an image', (ops, input) => ops.conv(input('x'), input('w'), input('b')),
      { x: [n, h, w, 1], w: [3, 3, 1, c], b: [c] }],
    ['conv 3×3 to an image', (ops, input) => ops.conv(input('x'), input('w'), input('b')),
      { x: image, w: [3, 3, c, 1], b: [1] }],
    ['conv 1×1', (ops, input) => ops.conv(input('x'), input('w'), input('b')), { x: image, w: [1, 1, c, 2 * c], b: [2 * c] }],
    ['linear', (ops, input) => ops.linear(input('x'), input('w')), { x: image, w: [c, 4 * c] }],
    ['layer norm', (ops, input) => ops.layerNorm(input('x'), input('w'), input('b')), { x: image, w: [c], b: [c] }],
    ['Omni-Shift', (ops, input) => ops.omniShift(input('x'), input('w')), { x: image, w: [5, 5, c] }],
    ['Bi-WKV by rows', (ops, input) => ops.biWkv(input('k'), input('v'), input('w'), input('u'), 'rows'),
      { k: image, v: image, w: [c], u: [c] }],
    ['Bi-WKV by columns', (ops, input) => ops.biWkv(input('k'), input('v'), input('w'), input('u'), 'columns'),
      { k: image, v: image, w: [c], u: [c] }],
    ['sum', (ops, input) => ops.add(input('x'), input('b')), { x: image, b: image }],
    ['product', (ops, input) => ops.mul(input('x'), input('b')), { x: image, b: image }],
    ['scale', (ops, input) => ops.mul(input('x'), input('b')), { x: image, b: [c] }],
    ['sigmoid', (ops, input) => ops.sigmoid(input('x')), { x: image }],
    ['squared relu', (ops, input) => ops.squaredRelu(input('x')), { x: image }],
    ['concat', (ops, input) => ops.concat(input('x'), input('b')), { x: image, b: [n, h, w, 4] }],
    ['pixel-shuffle', (ops, input) => ops.pixelShuffle(input('x')), { x: [n, h, w, 4 * c] }],
    ['pixel-unshuffle', (ops, input) => ops.pixelUnshuffle(input('x')), { x: [n, 2 * h, 2 * w, c] }],
  ];
};

// Six channels do not fill vec4s: there tfjs's own operators compute.
describe.each([[2, 16, 16, 24]])('on %i images of %i×%i, %i channels', (...shape) => {
  test.each(operators(...shape as [number, number, number, number]))(
    '%s and its gradients are those of the float64 reference, and no tensor is left', async (_, program, shapes) => {
      const before = tf.memory();
      const inputs = new Map(Object.entries(shapes).map(([name, size], i) => [name, rounded(noise(size, i + 1, 2))]));
      const gradientOf = (output: { shape: readonly number[] }) => rounded(noise(output.shape, 50));
      const got = await gradientsWithTfjs(program, inputs, gradientOf, gpuTrainingOps);
      const expected = await referenceSubject.gradients!(program, inputs, new Map(), gradientOf);
      const image = ({ shape, data }: { shape: readonly number[]; data: ArrayLike<number> }) => float64Image(shape, data);
      const out=[largestDifference(image(got.output), image(expected.output)).toExponential(1)];
      for (const [name, gradient] of expected.gradients) {
        // A scan over one token does not depend on its key, decay and bonus.
        const zero = gradient.data.every((value) => value === 0);
        const found = image(got.gradients.get(name)!);
        if (zero) expect(found.data.every((value) => Math.abs(value) < 1e-6), name).toBe(true);
        else out.push(name+' '+largestDifference(found, image(gradient)).toExponential(1));
      }
      console.log(_, out.join(' '));
      expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
    },
  );
});

test('merging the branches of Omni-Shift is differentiable in all four', async () => {
  const before = tf.memory().numTensors;
  const values = [[4], [12, 1, 1, 1], [12, 1, 3, 3], [12, 1, 5, 5]].map((size, i) => rounded(noise(size, i + 1)));
  const named = ([alpha, conv1x1, conv3x3, conv5x5]: Float64Image[]) => ({ alpha, conv1x1, conv3x3, conv5x5 });
  const g = rounded(noise([5, 5, 12], 9));
  const { kernel, gradients } = tf.tidy(() => {
    const tensors = values.map(toTensor);
    const [alpha, conv1x1, conv3x3, conv5x5] = tensors;
    const differentiate = tf.grads((...inputs: tf.Tensor[]) =>
      gpuTrainingOps.mergeOmniShift(inputs[0], inputs[1], inputs[2], inputs[3]));
    return {
      kernel: gpuTrainingOps.mergeOmniShift(alpha, conv1x1, conv3x3, conv5x5),
      gradients: differentiate(tensors, toTensor(g)),
    };
  });
  const read = async (tensor: tf.Tensor) => float64Image(tensor.shape, await tensor.data());
  expect(largestDifference(await read(kernel), mergeOmniShift(named(values)))).toBeLessThan(TOLERANCE);
  const expected = Object.values(mergeOmniShiftGradient(named(values), g)) as Float64Image[];
  for (const [i, gradient] of gradients.entries()) {
    expect(largestDifference(await read(gradient), expected[i])).toBeLessThan(TOLERANCE);
  }
  tf.dispose([kernel, gradients]);
  expect(tf.memory().numTensors).toBe(before);
});
