import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readVectors } from '../../conformance/cases.ts';
import { relativeError, wholeTensor } from '../../conformance/compare.ts';
import { referenceSubject } from '../../conformance/referenceSubject.ts';
import type { Subject, Tensors } from '../../conformance/subject.ts';
import { noise } from '../../kernels/gradientCheck.ts';
import { ShapeError, type Program, type Scan } from '../../model/ops.ts';
import { restoreRwkv } from '../../model/restoreRwkv.ts';
import { hashedStateDict } from '../../weights/hashedWeights.ts';
import { toNetworkWeights } from '../../weights/networkWeights.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import { startNodeHelper } from './nodeHelpers.ts';
import { evaluateWithWasm } from './wasmSubject.ts';

/**
 * Float32 against float64, relative to a tensor's largest value: some tens of roundings of 6e-8, as sums go over up to a
 * hundred products or a chunk of a scan.
 */
const TOLERANCE = 3e-6;

/** A key of 60 is rounded by 2e-6, and its exponential by as much of itself; twice, as the largest key is, too. */
const LARGE_KEYS = 1e-5;

const subject: Subject = {
  name: 'wasm',
  evaluate: (program, activations, weights) => evaluateWithWasm(program, activations, weights),
};

const files = ['bi-wkv', 're-wkv', 'modules', 'networks'].map((name) => {
  const url = new URL(`../../../public/conformance/${name}.safetensors`, import.meta.url);
  return { name: `${name}.safetensors`, bytes: new Uint8Array(readFileSync(url)) };
});
const cases = readVectors(files).filter(({ needs, name }) => needs === 'forward' && !name.includes('full'));

/** Values that float32 holds, so that both interpreters start from the same. */
const rounded = ({ shape, data }: StoredTensor): StoredTensor => ({ shape, data: Float32Array.from(data) });

/** Random tensors: name → shape, and a scale where it is not 1. */
const tensorsOf = (shapes: Record<string, readonly [shape: number[], scale?: number]>, seed = 1): Tensors =>
  new Map(Object.entries(shapes).map(([name, [shape, scale]], i) => [name, rounded(noise(shape, seed + i, scale))]));

type Shapes = Parameters<typeof tensorsOf>[0];

async function errorOf(program: Program, activations: Tensors, weights: Tensors, threads = 1): Promise<number> {
  const expected = await referenceSubject.evaluate(program, activations, weights);
  const got = await evaluateWithWasm(program, activations, weights, { threads, startHelper: startNodeHelper });
  expect(got.shape).toEqual(expected.shape);
  return relativeError(wholeTensor('result', got, expected), TOLERANCE);
}

const expectEqual = async (program: Program, activations: Shapes, weights: Shapes = {}): Promise<void> => {
  expect(await errorOf(program, tensorsOf(activations), tensorsOf(weights, 50))).toBeLessThan(TOLERANCE);
};

describe('our kernels in WebAssembly against the golden vectors', () => {
  it.each(cases.map((test) => [`${test.file} ${test.name}`, test] as const))('meet %s', async (_, test) => {
    const comparisons = await test.run(subject);
    expect(comparisons.length).toBeGreaterThan(0);
    for (const comparison of comparisons) {
      expect(relativeError(comparison, LARGE_KEYS), comparison.tensor).toBeLessThan(LARGE_KEYS);
    }
  });
});

describe('our kernels in WebAssembly against float64', () => {
  const scan = (direction: Scan): Program => (ops, input) =>
    ops.biWkv(input('k'), input('v'), input('w'), input('u'), direction);

  it.each([
    ['rows', 2], ['columns', 2], ['rows', 20], ['columns', 20],
    // Beyond what float32 holds as plain sums.
    ['rows', 40], ['columns', 3000],
  ] as [Scan, number][])('scan two images of odd sizes by %s with decays to ±%d', async (direction, scale) => {
    const image = [2, 5, 7, 11];
    await expectEqual(scan(direction), { k: [image, 8], v: [image] }, { w: [[11], scale], u: [[11], scale] });
  });

  it('scan one token, one line, and sequences that end within a chunk', async () => {
    for (const image of [[2, 1, 1, 3], [1, 1, 9, 4], [1, 9, 1, 5], [1, 90, 70, 2], [1, 1, 1003, 4], [1, 67, 3, 12]]) {
      for (const direction of ['rows', 'columns'] as const) {
        await expectEqual(scan(direction), { k: [image, 8], v: [image] }, { w: [[image[3]], 5], u: [[image[3]], 5] });
      }
    }
  });

  it('scan keys of which most vanish beside the largest', async () => {
    const image = [1, 6, 9, 4];
    const activations = tensorsOf({ k: [image, 200], v: [image] });
    // 200 is rounded by 8e-6.
    expect(await errorOf(scan('rows'), activations, tensorsOf({ w: [[4], 20], u: [[4], 20] }))).toBeLessThan(3e-5);
  });

  it('scan again with the same keys, with other keys, and with keys that are needed elsewhere', async () => {
    const image = [1, 5, 6, 7];
    const program: Program = (ops, input) => {
      const [w, u] = [input('w'), input('u')];
      const first = ops.biWkv(input('k'), input('v'), w, u, 'rows');
      const again = ops.biWkv(input('k'), first, u, w, 'columns');
      const own = ops.biWkv(again, again, w, u, 'columns');
      return ops.add(own, ops.biWkv(first, again, w, u, 'rows'));
    };
    await expectEqual(program, { k: [image, 3], v: [image] }, { w: [[7], 5], u: [[7], 5] });
  });

  it.each([[[2, 5, 7, 3]], [[1, 1, 1, 2]], [[2, 1, 3, 5]], [[1, 8, 2, 4]], [[1, 9, 13, 12]]])('shift %j', async (image) => {
    await expectEqual((ops, input) => ops.omniShift(input('x'), input('kernel')), { x: [image] }, { kernel: [[5, 5, image[3]]] });
  });

  it.each([[3, 3], [1, 1]])('convolve by %i × %i, with and without a bias', async (k) => {
    const image = { x: [[2, 5, 7, 3]] } satisfies Shapes;
    const weights = { weight: [[k, k, 3, 10]], bias: [[10]] } satisfies Shapes;
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), input('bias')), image, weights);
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), null), image, { weight: weights.weight });
    await expectEqual((ops, input) => ops.conv(input('x'), input('weight'), null), { x: [[1, 1, 2, 6]] }, { weight: [[k, k, 6, 1]] });
    await expectEqual(
      (ops, input) => ops.add(input('x'), ops.conv(input('x'), input('weight'), input('bias'))),
      { x: [[1, 9, 5, 6]] }, { weight: [[k, k, 6, 6]], bias: [[6]] },
    );
  });

  it.each([[7, 18], [18, 7], [6, 6], [1, 12], [24, 12]])('multiply %i by %i channels', async (from, to) => {
    await expectEqual((ops, input) => ops.linear(input('x'), input('weight')), { x: [[2, 5, 7, from]] }, { weight: [[from, to]] });
  });

  it.each([[6], [8], [1], [13]])('normalise layers of %i channels, also where all are alike', async (channels) => {
    const x = new Map(tensorsOf({ x: [[2, 5, 7, channels], 3] }));
    x.get('x')!.data.fill(3, 0, 2 * channels);
    const weights = tensorsOf({ weight: [[channels]], bias: [[channels]] }, 50);
    expect(await errorOf((ops, input) => ops.layerNorm(input('x'), input('weight'), input('bias')), x, weights))
      .toBeLessThan(TOLERANCE);
  });

  it.each([[4], [5]])('add, multiply, gate and join %i channels', async (c) => {
    await expectEqual((ops, input) => {
      const gated = ops.mul(ops.sigmoid(input('a')), ops.squaredRelu(input('b')));
      return ops.concat(ops.add(ops.mul(gated, input('gamma')), input('a')), ops.add(gated, input('b')));
    }, { a: [[2, 3, 5, c], 3], b: [[2, 3, 5, c], 3] }, { gamma: [[c]] });
  });

  it('gate, scale and add to a product as it is written', async () => {
    await expectEqual((ops, input) => {
      const gate = ops.linear(input('x'), input('r'));
      const hidden = ops.squaredRelu(ops.linear(input('x'), input('k')));
      const value = ops.mul(ops.sigmoid(gate), ops.linear(hidden, input('v')));
      return ops.add(input('x'), ops.mul(value, input('gamma')));
    }, { x: [[1, 7, 5, 6]] }, { r: [[6, 6]], k: [[6, 18]], v: [[18, 6]], gamma: [[6]] });
  });

  it.each([[8], [12], [20]])('shuffle pixels of %i channels there and back', async (c) => {
    await expectEqual((ops, input) => ops.linear(ops.pixelUnshuffle(ops.pixelShuffle(input('x'))), input('weight')),
      { x: [[2, 4, 6, c]] }, { weight: [[c, c]] });
    await expectEqual((ops, input) => ops.pixelShuffle(input('x')), { x: [[1, 3, 5, c]] });
    await expectEqual((ops, input) => ops.pixelUnshuffle(input('x')), { x: [[1, 6, 2, c / 4]] });
  });

  it('compute a network whose channels are no multiples of four, on one thread as on three', async () => {
    const config = { dim: 6, blocks: [1, 1, 1, 1], refinement: 1, recurrence: 3 } as const;
    const { tensors } = toNetworkWeights(hashedStateDict(config, 3), config);
    const program: Program = (ops, input) => restoreRwkv(ops, input, config, input('image'));
    const image = new Map([['image', rounded(noise([1, 24, 40, 1], 7))]]);
    for (const threads of [1, 3]) expect(await errorOf(program, image, tensors, threads)).toBeLessThan(TOLERANCE);
  });

  it('refuse inputs that are missing', async () => {
    await expect(evaluateWithWasm((ops, input) => ops.linear(input('x'), input('w')), tensorsOf({ x: [[1, 2, 2, 4]] }), new Map()))
      .rejects.toThrow(ShapeError);
  });
});
