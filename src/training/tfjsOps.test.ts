import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVectors } from '../conformance/cases.ts';
import { relativeError } from '../conformance/compare.ts';
import type { Subject } from '../conformance/subject.ts';
import { requestDevice } from '../engine/device.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { ShapeError } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { tfjsOps } from './tfjsOps.ts';
import { evaluateWithTfjs, gradientsWithTfjs } from './tfjsSubject.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';

/**
 * Float32 against float64, relative to a tensor's largest value. A sum of some thousand positive terms, or a few
 * layers, cost a handful of roundings (6e-8 each); a gradient that sums over all tokens with either sign some hundred.
 */
const FORWARD = 5e-6;
const GRADIENT = 2e-5;

const files = ['bi-wkv', 're-wkv', 'modules'].map((name) => {
  const url = new URL(`../../public/conformance/${name}.safetensors`, import.meta.url);
  return { name: `${name}.safetensors`, bytes: new Uint8Array(readFileSync(url)) };
});
const cases = readVectors(files).filter(({ needs }) => needs !== 'nothing');

let gpu: Awaited<ReturnType<typeof requestDevice>> | null = null;

async function startBackend(name: 'wasm' | 'webgpu'): Promise<void> {
  if (name === 'wasm') return useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() });
  gpu ??= await requestDevice(await installNodeWebGpu());
  return useTfjsBackend('webgpu', { device: gpu.device, adapterInfo: gpu.adapter.info });
}

afterAll(() => gpu?.device.destroy());

describe.each(['wasm', 'webgpu'] as const)('tfjs operators on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  const subject: Subject = {
    name: `tfjs-${backend}`,
    evaluate: (program, activations, weights) => evaluateWithTfjs(program, new Map([...activations, ...weights])),
    gradients: (program, activations, weights, outputGradient) =>
      gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient),
  };

  it.each(cases.map((test) => [`${test.file} ${test.name}`, test] as const))('meets %s', async (_, test) => {
    const before = tf.memory().numTensors;
    const tolerance = test.needs === 'gradients' ? GRADIENT : FORWARD;
    const comparisons = await test.run(subject);
    expect(comparisons.length).toBeGreaterThan(0);
    for (const comparison of comparisons) {
      expect(relativeError(comparison, tolerance), comparison.tensor).toBeLessThanOrEqual(tolerance);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('puts channel 4c + 2i + j at offset (i, j), and takes it back', async () => {
    // One pixel of eight channels becomes two channels of 2×2: channel 0 from 0…3, channel 1 from 4…7.
    const x = { shape: [1, 1, 1, 8], data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7) };
    const shuffled = await evaluateWithTfjs((ops, input) => ops.pixelShuffle(input('x')), new Map([['x', x]]));
    expect(shuffled.shape).toEqual([1, 2, 2, 2]);
    expect([...shuffled.data]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);

    const image = { shape: [2, 6, 10, 3], data: Float32Array.from({ length: 360 }, (_, i) => i) };
    const inverse = await evaluateWithTfjs(
      (ops, input) => ops.pixelShuffle(ops.pixelUnshuffle(input('x'))), new Map([['x', image]]),
    );
    expect(inverse).toEqual(image);
  });

  it('pads convolutions with zeros and adds the bias everywhere', async () => {
    const ones = (shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)).fill(1) });
    const inputs = new Map([['x', ones([1, 3, 4, 2])], ['w', ones([3, 3, 2, 1])], ['b', ones([1])]]);
    const y = await evaluateWithTfjs((ops, input) => ops.conv(input('x'), input('w'), input('b')), inputs);
    // Taps inside the image: 4 at corners, 6 at edges, 9 within; two channels, and the bias.
    expect([...y.data]).toEqual([9, 13, 13, 9, 13, 19, 19, 13, 9, 13, 13, 9]);
  });

  it('scans columns as it scans rows of the transposed image', async () => {
    const [h, w, c] = [5, 7, 3];
    const value = (seed: number) => (_: unknown, i: number) => Math.sin(seed * 37 + i * 12.9898) * 3;
    const data = (seed: number, length = h * w * c) => Float32Array.from({ length }, value(seed));
    const transposed = (x: Float32Array) => Float32Array.from(x, (_, i) => {
      const [column, row, channel] = [Math.floor(i / (h * c)), Math.floor(i / c) % h, i % c];
      return x[(row * w + column) * c + channel];
    });
    const [key, val] = [data(1), data(2)];
    const vector = (seed: number): StoredTensor => ({ shape: [c], data: data(seed, c) });
    const image = (shape: number[], k: Float32Array, v: Float32Array) => new Map<string, StoredTensor>([
      ['k', { shape, data: k }], ['v', { shape, data: v }], ['w', vector(3)], ['u', vector(4)],
    ]);
    const columns = await evaluateWithTfjs(
      (ops, input) => ops.biWkv(input('k'), input('v'), input('w'), input('u'), 'columns'),
      image([1, h, w, c], key, val),
    );
    const rows = await evaluateWithTfjs(
      (ops, input) => ops.biWkv(input('k'), input('v'), input('w'), input('u'), 'rows'),
      image([1, w, h, c], transposed(key), transposed(val)),
    );
    transposed(columns.data).forEach((y, i) => expect(y).toBeCloseTo(rows.data[i], 5));
  });

  it('refuses shapes that do not fit', () => {
    const before = tf.memory().numTensors;
    const shapes = (x: number[], y: number[]) => () => tf.tidy(() => {
      const [c] = x.slice(-1);
      tfjsOps.biWkv(tf.zeros(x), tf.zeros(y), tf.zeros([c]), tf.zeros([c]), 'rows');
    });
    expect(shapes([1, 4, 4, 2], [1, 4, 4, 3])).toThrow(ShapeError);
    expect(shapes([16, 2], [16, 2])).toThrow(ShapeError);
    expect(() => tf.tidy(() => tfjsOps.pixelShuffle(tf.zeros([1, 4, 4, 6])))).toThrow(/6 channels/);
    expect(() => tf.tidy(() => tfjsOps.pixelUnshuffle(tf.zeros([1, 5, 4, 2])))).toThrow(/5×4/);
    expect(tf.memory().numTensors).toBe(before);
  });
});
