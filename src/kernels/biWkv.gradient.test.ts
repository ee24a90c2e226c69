import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { VectorFile } from '../conformance/vectors.ts';
import { seeded, testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import type { Scan } from '../model/ops.ts';
import { biWkvGradient, biWkvGradientScratch } from './biWkv.gradient.ts';
import { biWkv as referenceForward, biWkvGradient as referenceGradient } from './biWkv.reference.ts';
import { float64Image, size, type Float64Image } from './float64Image.ts';
import { largestDifference } from './gradientCheck.ts';
import { lanesFor, wholeView, type View } from './kernel.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS, type Variants } from './variants.ts';

interface Gradients {
  readonly key: Float64Image;
  readonly value: Float64Image;
  readonly decay: Float64Image;
  readonly bonus: Float64Image;
}
interface Inputs extends Gradients {
  readonly g: Float64Image;
}
type Shape = readonly [n: number, h: number, w: number, c: number];
interface Settings {
  readonly scan?: Scan;
  /** The bound of |decay| that the caller knows; the largest there is if not given. */
  readonly bound?: number;
  /** Floats between pixels that are not the view's. */
  readonly margin?: number;
}

/** Seeded inputs in ±range (±1 if not given), rounded to float32. */
function randomInputs(shape: Shape, ranges: Readonly<Partial<Record<keyof Inputs, number>>>): Inputs {
  const make = (name: keyof Inputs, of: readonly number[], seed: number) =>
    float64Image(of, Float32Array.from(seeded(size(of), seed), (x) => x * (ranges[name] ?? 1)));
  return {
    key: make('key', shape, 1), value: make('value', shape, 2), g: make('g', shape, 5),
    decay: make('decay', [shape[3]], 3), bonus: make('bonus', [shape[3]], 4),
  };
}

const largest = ({ data }: Float64Image) => data.reduce((max, entry) => Math.max(max, Math.abs(entry)), 0);

/** Gradients by the shader; y comes from the float64 reference. Channels are padded where a thread has four. */
async function byShader(inputs: Inputs, variant: Variants['biWkv'], settings: Settings = {}): Promise<Gradients> {
  const { key, value, decay, bonus, g } = inputs;
  const { scan = 'rows', bound = largest(decay), margin = 0 } = settings;
  const [batch, height, width, channels] = key.shape as unknown as Shape;
  const lanes = variant.lane === 'f32' ? channels : lanesFor(channels);
  const stride = lanes + margin;
  const pixels = batch * height * width;
  const view = (buffer: string): View<string> =>
    ({ buffer, batch, height, width, channels, lanes, offset: margin / 2, stride });
  const spread = (data: ArrayLike<number>) => {
    const wide = new Float32Array(pixels * stride).fill(NaN);
    for (let i = 0; i < pixels; i++) {
      for (let j = 0; j < lanes; j++) wide[i * stride + margin / 2 + j] = j < channels ? data[i * channels + j]! : 0;
    }
    return wide;
  };
  const gathered = (wide: Float32Array) => {
    if (margin > 0) expect(wide.filter((_, at) => at % stride >= lanes + margin / 2).every(Number.isNaN)).toBe(true);
    const kept = (at: number) => at % stride >= margin / 2 && at % stride < channels + margin / 2;
    return float64Image(key.shape, wide.filter((_, at) => kept(at)));
  };
  const perChannel = (data: ArrayLike<number>) => Float32Array.from({ length: lanes }, (_, j) => data[j] ?? 0);

  const dispatches = biWkvGradient({
    key: view('key'), value: view('value'), decay: 'decay', bonus: 'bonus', y: view('y'), g: view('g'),
    gKey: view('gKey'), gValue: view('gValue'), gDecay: 'gDecay', gBonus: 'gBonus',
    scan, scratch: { sums: 'sums' }, largestDecay: bound,
  }, variant);
  const got = await runDispatches(await testDevice(), {
    key: spread(key.data), value: spread(value.data), g: spread(g.data),
    y: spread(referenceForward(key, value, decay, bonus, scan).data),
    decay: perChannel(decay.data), bonus: perChannel(bonus.data),
    gKey: pixels * stride, gValue: pixels * stride, gDecay: lanes, gBonus: lanes,
    ...biWkvGradientScratch({ batch, height, width, lanes }, bound, variant),
  }, dispatches, ['gKey', 'gValue', 'gDecay', 'gBonus']);
  return {
    key: gathered(got.get('gKey')!), value: gathered(got.get('gValue')!),
    decay: float64Image(decay.shape, got.get('gDecay')!.slice(0, channels)),
    bonus: float64Image(bonus.shape, got.get('gBonus')!.slice(0, channels)),
  };
}

const byReference = ({ key, value, decay, bonus, g }: Inputs, scan: Scan): Gradients =>
  referenceGradient(key, value, decay, bonus, scan, g);

/** The largest difference of each gradient, relative to its largest entry, or as it is where that is next to 0. */
function errors(got: Gradients, expected: Gradients): Record<keyof Gradients, number> {
  const error = (name: keyof Gradients) => {
    return largest(expected[name]) > 1e-12 ? largestDifference(got[name], expected[name]) : largest(got[name]);
  };
  return { key: error('key'), value: error('value'), decay: error('decay'), bonus: error('bonus') };
}

function expectBelow(tolerance: number, error: Record<keyof Gradients, number>): void {
  for (const [name, each] of Object.entries(error)) expect(each, name).toBeLessThan(tolerance);
}

// The sums are made of exponentials, each off by the float32 rounding of its exponent: 20 · 6e-8 for terms that matter.
// The chunks' fading adds some roundings of 6e-8. Errors of terms are unlike each other and mostly cancel in sums.
const TOLERANCE = 1e-5;

const file = new VectorFile({
  name: 'bi-wkv.safetensors',
  bytes: readFileSync(new URL('../../public/conformance/bi-wkv.safetensors', import.meta.url)),
});
const groups = file.matches(/^(.+)\.gy$/).map(([group]) => group!);

describe.each([
  ['vec4s', SOFTWARE_VARIANTS.biWkv], ['floats', GPU_VARIANTS.biWkv],
])('the gradients of Bi-WKV by %s of channels', (_, variant) => {
  test.each(groups)('equal the golden vectors %s', async (group) => {
    const [n, tokens, c] = file.shapeOf(`${group}.k`) as [number, number, number];
    const image = (name: string) => float64Image([n, 1, tokens, c], file.take(`${group}.${name}`, [n, tokens, c]).data);
    const vector = (name: string) => float64Image([c], file.take(`${group}.${name}`, [c]).data);
    const got = await byShader(
      { key: image('k'), value: image('v'), decay: vector('decay'), bonus: vector('first'), g: image('gy') }, variant,
    );
    const golden = { key: image('g_k'), value: image('g_v'), decay: vector('g_decay'), bonus: vector('g_first') };
    expectBelow(2 * TOLERANCE, errors(got, golden));
  });

  test.each<Shape>([[2, 1, 1, 4], [2, 1, 2, 4], [3, 6, 10, 8], [2, 13, 7, 4], [2, 37, 29, 12]])(
    'are those of eq. 8 by rows and by columns (batch %i, %i×%i, %i channels)', async (...shape) => {
      const inputs = randomInputs(shape, { key: 4, decay: 2, bonus: 2 });
      for (const scan of ['rows', 'columns'] as const) {
        expectBelow(TOLERANCE, errors(await byShader(inputs, variant, { scan }), byReference(inputs, scan)));
      }
    },
  );

  // ∂L/∂w is a difference of sums weighted by distance. The more they cancel, the more of their roundings remains: for
  // |w| of 300 a token sees little but its nearest or its farthest, whose values its own result nearly equals.
  test.each([
    { key: 60, decay: 20, bonus: 20, forDecay: 2e-5 }, { key: 3, decay: 64, bonus: 3, forDecay: 5e-5 },
    { key: 60, decay: 64, bonus: 60, forDecay: 5e-5 }, { key: 60, decay: 300, bonus: 20, forDecay: 5e-4 },
    { key: 3, decay: 300, bonus: 3, forDecay: 5e-4 },
  ])('hold for keys to ±$key, decays to ±$decay, bonuses to ±$bonus', async ({ forDecay, ...ranges }) => {
    for (const shape of [[2, 11, 9, 8], [1, 53, 61, 4]] as const) {
      const inputs = randomInputs(shape, ranges);
      const error = errors(await byShader(inputs, variant), byReference(inputs, 'rows'));
      expectBelow(forDecay, { ...error, key: 0, value: 0 });
      expectBelow(2 * TOLERANCE, { ...error, decay: 0 });
    }
  });

  test('lose no token whose key stands e^120 above the others, nor what lies far beyond it', async () => {
    const shape = [1, 3, 500, 4] as const;
    const drawn = randomInputs(shape, { decay: 300 });
    const key = float64Image(shape, drawn.key.data.map((_, at) => (Math.floor(at / 4) % 1000 === 130 ? 60 : -60)));
    const inputs = { ...drawn, key };
    const error = errors(await byShader(inputs, variant), byReference(inputs, 'rows'));
    expectBelow(2 * TOLERANCE, { ...error, decay: 0 });
    // All weight of a token lies on one other, whose value its result equals: sums cancel to a thousandth.
    expect(error.decay).toBeLessThan(2e-3);
  });

  test('may be cut into chunks for a larger decay than there is', async () => {
    const inputs = randomInputs([1, 9, 8, 8], { key: 4, decay: 2 });
    expectBelow(TOLERANCE, errors(await byShader(inputs, variant, { bound: 500 }), byReference(inputs, 'rows')));
  });

  test('are read from and written to parts of wider tensors', async () => {
    const inputs = randomInputs([2, 5, 6, 8], { key: 4, decay: 2 });
    const settings = { scan: 'columns', margin: 8 } as const;
    expectBelow(TOLERANCE, errors(await byShader(inputs, variant, settings), byReference(inputs, 'columns')));
  });
});

test('every dispatch keeps within the eight storage buffers that any device has', () => {
  const view = wholeView('x', [1, 8, 9, 4]);
  const dispatches = biWkvGradient({
    key: view, value: view, decay: 'x', bonus: 'x', y: view, g: view,
    gKey: view, gValue: view, gDecay: 'x', gBonus: 'x', scan: 'rows', scratch: { sums: 'x' }, largestDecay: 1,
  }, GPU_VARIANTS.biWkv);
  expect(Math.max(...dispatches.map(({ bindings }) => bindings.length))).toBe(8);
});
