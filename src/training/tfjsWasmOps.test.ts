import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readVectors } from '../conformance/cases.ts';
import { relativeError, wholeTensor } from '../conformance/compare.ts';
import { referenceSubject } from '../conformance/referenceSubject.ts';
import type { Subject, Tensors } from '../conformance/subject.ts';
import { noise } from '../kernels/gradientCheck.ts';
import * as reference from '../kernels/mergeOmniShift.reference.ts';
import type { Config } from '../model/config.ts';
import type { Program, Scan } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { evaluateWithTfjs, gradientsWithTfjs } from './tfjsSubject.ts';
import { trainingOps, type TrainingOps } from './tfjsTrainingOps.ts';
import { toTensor } from './tfjsTensor.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';
import { wasmOps } from './tfjsWasmOps.ts';

/**
 * Float32 against float64, relative to a tensor's largest value: a few roundings (6e-8 each), and in gradients that sum
 * over tokens by matrix products some hundred. A network of nine blocks passes its roundings on from block to block.
 */
const TOLERANCE = 5e-6;
const NETWORK = 2e-5;

const files = ['bi-wkv', 're-wkv', 'modules'].map((name) => {
  const url = new URL(`../../public/conformance/${name}.safetensors`, import.meta.url);
  return { name: `${name}.safetensors`, bytes: new Uint8Array(readFileSync(url)) };
});
const cases = readVectors(files).filter(({ needs }) => needs !== 'nothing');

let ops: TrainingOps;
let subject: Subject;

beforeAll(async () => {
  await useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() });
  ops = wasmOps();
  subject = {
    name: 'tfjs-wasm',
    evaluate: (program, activations, weights) => evaluateWithTfjs(program, new Map([...activations, ...weights]), ops),
    gradients: (program, activations, weights, outputGradient) =>
      gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient, ops),
  };
});

/** Largest error of the output and of every gradient, against the float64 interpreter. */
async function errorsOf(program: Program, inputs: Tensors, tolerance: number): Promise<Record<string, number>> {
  const outputGradient = ({ shape }: StoredTensor) => rounded(noise(shape, 99));
  const got = await subject.gradients!(program, inputs, new Map(), outputGradient);
  const expected = await referenceSubject.gradients!(program, inputs, new Map(), outputGradient);
  const all = [['output', got.output, expected.output] as const, ...[...expected.gradients].map(([name, gradient]) =>
    [`gradient of ${name}`, got.gradients.get(name)!, gradient] as const)];
  return Object.fromEntries(all.map(([name, a, e]) => [name, relativeError(wholeTensor(name, a, e), tolerance)]));
}

async function expectEqual(program: Program, inputs: Tensors, tolerance = TOLERANCE): Promise<void> {
  const before = tf.memory().numTensors;
  const errors = await errorsOf(program, inputs, tolerance);
  expect(Object.keys(errors)).toHaveLength(inputs.size + 1);
  for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThanOrEqual(tolerance);
  expect(tf.memory().numTensors).toBe(before);
}

/** Values that float32 holds, so that both interpreters start from the same. */
const rounded = ({ shape, data }: StoredTensor): StoredTensor => ({ shape, data: Float32Array.from(data) });

/** Random inputs: name → shape, and a scale where it is not 1. */
const inputsOf = (shapes: Record<string, readonly [shape: number[], scale?: number]>): Tensors =>
  new Map(Object.entries(shapes).map(([name, [shape, scale]], seed) => [name, rounded(noise(shape, seed + 1, scale))]));

describe('wasm operators against the golden vectors', () => {
  it.each(cases.map((test) => [`${test.file} ${test.name}`, test] as const))('meet %s', async (_, test) => {
    const before = tf.memory().numTensors;
    const comparisons = await test.run(subject);
    expect(comparisons.length).toBeGreaterThan(0);
    for (const comparison of comparisons) {
      expect(relativeError(comparison, TOLERANCE), comparison.tensor).toBeLessThanOrEqual(TOLERANCE);
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('wasm operators and their gradients against float64', () => {
  it('are those that training takes on this backend', () => expect(trainingOps()).toBe(ops));

  it.each([
    ['small decays, rows', 'rows', 2],
    ['small decays, columns', 'columns', 2],
    ['decays to ±20, rows', 'rows', 20],
    ['decays to ±20, columns', 'columns', 20],
    ['decays whose sums float64 must rescale', 'columns', 3000],
  ] as [string, Scan, number][])('scan two images of odd sizes with %s', async (_, scan, scale) => {
    const image = [2, 5, 7, 11];
    const inputs = inputsOf({ k: [image, 8], v: [image], w: [[11], scale], u: [[11], scale] });
    await expectEqual((ops, input) => ops.biWkv(input('k'), input('v'), input('w'), input('u'), scan), inputs);
  });

  it('scan one token, one line, and more tokens than a cache holds', async () => {
    for (const image of [[2, 1, 1, 3], [1, 1, 9, 4], [1, 9, 1, 5], [1, 90, 70, 2]]) {
      const inputs = inputsOf({ k: [image, 8], v: [image], w: [[image[3]], 5], u: [[image[3]], 5] });
      const program: Program = (ops, input) =>
        ops.biWkv(input('k'), input('v'), input('w'), input('u'), 'columns');
      await expectEqual(program, inputs);
    }
  });

  it.each([[[2, 5, 7, 3]], [[1, 1, 1, 2]], [[2, 1, 3, 5]], [[1, 8, 2, 4]]])('shift %j', async (image) => {
    const inputs = inputsOf({ x: [image], kernel: [[5, 5, image[3]]] });
    await expectEqual((ops, input) => ops.omniShift(input('x'), input('kernel')), inputs);
  });

  it.each([[3, 3], [1, 1]])('convolve by %i × %i, with and without a bias', async (k) => {
    const inputs = inputsOf({ x: [[2, 5, 7, 3]], weight: [[k, k, 3, 10]], bias: [[10]] });
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), input('bias')), inputs);
    const unbiased = new Map([...inputs].filter(([name]) => name !== 'bias'));
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), null), unbiased);
    const narrow = inputsOf({ x: [[1, 1, 2, 6]], weight: [[k, k, 6, 1]] });
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), null), narrow);
  });

  it.each([[7, 18], [18, 7], [6, 6]])('multiply %i by %i channels', async (from, to) => {
    const inputs = inputsOf({ x: [[2, 5, 7, from]], weight: [[from, to]] });
    await expectEqual((ops, input) => ops.linear(input('x'), input('weight')), inputs);
  });

  it('normalise layers, also where all channels are alike', async () => {
    const inputs = new Map(inputsOf({ x: [[2, 5, 7, 6]], weight: [[6]], bias: [[6]] }));
    inputs.get('x')!.data.fill(3, 0, 12);
    await expectEqual((ops, input) => ops.layerNorm(input('x'), input('weight'), input('bias')), inputs);
  });

  it('add, multiply, gate and join', async () => {
    const image = [2, 3, 5, 4];
    const inputs = inputsOf({ a: [image, 3], b: [image, 3], gamma: [[4]] });
    await expectEqual((ops, input) => {
      const gated = ops.mul(ops.sigmoid(input('a')), ops.squaredRelu(input('b')));
      return ops.concat(ops.add(ops.mul(gated, input('gamma')), input('a')), ops.add(gated, input('b')));
    }, inputs);
  });

  it('shuffle pixels there and back', async () => {
    const inputs = inputsOf({ x: [[2, 4, 6, 8]], weight: [[8, 8]] });
    await expectEqual((ops, input) =>
      ops.linear(ops.pixelUnshuffle(ops.pixelShuffle(input('x'))), input('weight')), inputs);
  });

  it('merge the branches of an Omni-Shift', async () => {
    const c = 7;
    const shapes = [[4], [c, 1, 1, 1], [c, 1, 3, 3], [c, 1, 5, 5]];
    const [alpha, conv1x1, conv3x3, conv5x5] = shapes.map((shape, seed) => noise(shape, seed + 20));
    const branches = { alpha, conv1x1, conv3x3, conv5x5 };
    const g = noise([5, 5, c], 30);
    const before = tf.memory().numTensors;
    const tensors = Object.values(branches).map(toTensor);
    const merged = ops.mergeOmniShift(tensors[0], tensors[1], tensors[2], tensors[3]);
    const dy = toTensor(g);
    const gradients = tf.grads((a, b, c, d) => ops.mergeOmniShift(a, b, c, d))(tensors, dy);
    const expected = reference.mergeOmniShiftGradient(branches, g);
    const { mergeOmniShift } = reference;
    const all = [mergeOmniShift(branches), expected.alpha, expected.conv1x1, expected.conv3x3, expected.conv5x5];
    for (const [i, tensor] of [merged, ...gradients].entries()) {
      const got = { shape: tensor.shape, data: (await tensor.data()) as Float32Array };
      expect(relativeError(wholeTensor(`tensor ${i}`, got, all[i]), TOLERANCE)).toBeLessThanOrEqual(TOLERANCE);
    }
    tf.dispose([merged, dy, ...tensors, ...gradients]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuse shapes that do not fit', () => {
    const before = tf.memory().numTensors;
    const scan = (key: number[], value: number[]) => () => tf.tidy(() => {
      const c = key[key.length - 1];
      ops.biWkv(tf.zeros(key), tf.zeros(value), tf.zeros([c]), tf.zeros([c]), 'rows');
    });
    expect(scan([1, 4, 4, 2], [1, 4, 4, 3])).toThrow(ShapeError);
    expect(scan([16, 2], [16, 2])).toThrow(ShapeError);
    expect(() => tf.tidy(() => { ops.omniShift(tf.zeros([1, 4, 4, 2]), tf.zeros([3, 3, 2])); })).toThrow(ShapeError);
    expect(() => tf.tidy(() => { ops.layerNorm(tf.zeros([1, 4, 4, 2]), tf.zeros([3]), tf.zeros([3])); }))
      .toThrow(ShapeError);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('a network on wasm operators', () => {
  const config: Config = { dim: 4, blocks: [1, 1, 1, 1], refinement: 1, recurrence: 2 };
  const image = { shape: [2, 16, 24, 1], data: Float32Array.from({ length: 768 }, (_, i) => (i % 7) / 7) };
  const inputs: Tensors = new Map([...toNetworkWeights(hashedStateDict(config, 3), config).tensors].map(
    ([path, tensor]) => [path, rounded(tensor)],
  ));
  const program: Program = (ops, input) => restoreRwkv(ops, input, config, input('image'));

  it('has the gradients of the float64 interpreter, for the image and for every parameter', async () => {
    await expectEqual(program, new Map([...inputs, ['image', image]]), NETWORK);
  });

  it('computes the same step after step, in the same memory, also for a part of the parameters', async () => {
    const heapBytes = () => (tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.byteLength;
    const tensors = Object.fromEntries([...inputs].map(([path, tensor]) => [path, toTensor(tensor)]));
    const x = toTensor(image);
    const trained = Object.keys(tensors).filter((path) => path.startsWith('refinement.'));
    const step = async () => {
      const gradients = tf.tidy(() => tf.grads((...values) => tf.sum(restoreRwkv<tf.Tensor>(
        ops, (path) => values[trained.indexOf(path)] ?? tensors[path], config, x,
      )))(trained.map((path) => tensors[path])));
      const first = await gradients[0].data();
      tf.dispose(gradients);
      return first;
    };
    const first = await step();
    await step();
    const [memory, heap] = [tf.memory(), heapBytes()];
    for (let repeat = 0; repeat < 10; repeat++) expect(await step()).toEqual(first);
    expect(tf.memory()).toMatchObject({ numTensors: memory.numTensors, numBytes: memory.numBytes });
    expect(heapBytes()).toBe(heap);
    tf.dispose([...Object.values(tensors), x]);
  });
});
