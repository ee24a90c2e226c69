import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { useTfjsBackend } from './tfjsBackend.ts';
import { differentiable } from './tfjsDifferentiable.ts';
import { hasThreads, onHeap, shareMemoryOfClones } from './tfjsWasmHeap.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';

interface Backend {
  makeOutput: unknown;
  typedArrayFromHeap: unknown;
  incRef: unknown;
  wasm: { HEAPU8: unknown };
  getMemoryOffset(dataId: object): number;
}

const addressOf = (tensor: tf.Tensor) => (tf.backend() as unknown as Backend).getMemoryOffset(tensor.dataId);

beforeAll(async () => {
  await useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() });
  shareMemoryOfClones();
});

describe('the heap of tfjs 4.22.0’s wasm backend', () => {
  it('has the private parts that the operators use: makeOutput, typedArrayFromHeap, incRef, wasm.HEAPU8', () => {
    const backend = tf.backend() as unknown as Backend;
    for (const part of ['makeOutput', 'typedArrayFromHeap', 'incRef'] as const) {
      expect(backend[part], part).toBeTypeOf('function');
    }
    expect(backend.wasm.HEAPU8).toBeInstanceOf(Uint8Array);
    expect(hasThreads()).toBe(false); // Node has none
    expect(tf.version_core).toBe('4.22.0');
  });

  it('lends inputs and outputs to plain functions, also where making the outputs lets the heap grow', async () => {
    const before = tf.memory().numTensors;
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    // 64 MiB, four times the heap that the backend starts with: views made before would be detached.
    const large = 2 ** 24;
    const [sums, filled] = onHeap([x], [[2], [large]], ([x], [sums, filled]) => {
      sums.set([x[0] + x[1] + x[2], x[3] + x[4] + x[5]]);
      filled.fill(7);
    });
    expect([...await sums.data()]).toEqual([6, 15]);
    const last = tf.slice(filled, large - 2, 2);
    expect([...await last.data()]).toEqual([7, 7]);
    tf.dispose([x, sums, filled, last]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('keeps nothing of an operator that fails', () => {
    const before = tf.memory().numTensors;
    expect(() => tf.tidy(() => {
      onHeap([], [[3]], () => { throw new Error('no'); });
    })).toThrow('no');
    expect(tf.memory().numTensors).toBe(before);
  });

  it('shares the memory of clones, which live on without the tensor that they were made of', async () => {
    const x = tf.tensor1d([1, 2, 3]);
    const clone = tf.clone(x);
    expect(addressOf(clone)).toBe(addressOf(x));
    x.dispose();
    expect([...await clone.data()]).toEqual([1, 2, 3]);
    const variable = tf.variable(clone);
    variable.assign(tf.tidy(() => tf.add(clone, 1)) as tf.Tensor1D);
    expect([...await clone.data()]).toEqual([1, 2, 3]);
    expect([...await variable.data()]).toEqual([2, 3, 4]);
    tf.dispose([clone, variable]);
  });
});

describe('an operator with a gradient of its own', () => {
  const double = differentiable((x) => ({ value: tf.add(x, x), keep: [x] }), (dy) => [tf.add(dy, dy)]);

  it('frees gradients on the way back, but never the one that it was given', async () => {
    const before = tf.memory().numTensors;
    const x = tf.tensor1d([1, -2]);
    const dy = tf.tensor1d([1, 10]);
    const gradient = tf.grad((x) => double(double(double(x))))(x, dy);
    expect([...await gradient.data()]).toEqual([8, 80]);
    expect([...await dy.data()]).toEqual([1, 10]);
    tf.dispose([x, dy, gradient]);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('adds up where a value is used twice', async () => {
    const x = tf.tensor1d([1, -2]);
    const gradient = tf.grad((x) => {
      const once = double(x);
      return tf.add(double(once), double(double(once)));
    })(x, tf.tensor1d([1, 1]));
    expect([...await gradient.data()]).toEqual([12, 12]);
  });
});
