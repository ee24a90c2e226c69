import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../weights/safetensors.ts';
import { degradationSentence, degrade, STRENGTH } from './degrade.ts';
import { degradePet, PET_DEFAULTS } from './degradePet.ts';
import { average, middleDeviation, phantom } from './phantom.fixture.ts';
import type { Slice } from './slice.ts';

const golden = readSafetensors(readFileSync(new URL('./fixtures/kspace-crop.safetensors', import.meta.url))).tensors;

function goldenSlice(name: string): Slice {
  const { shape, data } = golden.get(name)!;
  return { height: shape[0]!, width: shape[1]!, data: Float32Array.from(data) };
}

const difference = (a: Slice, b: Slice) => a.data.map((value, i) => value - b.data[i]!);
const rmse = (a: Slice, b: Slice) => Math.sqrt(average(difference(a, b).map((d) => d * d)));
const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Water (0 HU) in air, with inserts of −500 and 500 HU. */
function huPhantom(n: number): Slice {
  const slice = phantom(n);
  return { ...slice, data: slice.data.map((value) => value * 1000 - 1000) };
}

describe('MRI: centre of k-space', () => {
  it.each(['even', 'odd', 'big'])('meets the golden vector "%s"', (name) => {
    const expected = goldenSlice(`${name}.lq`);
    const result = degrade(goldenSlice(`${name}.hq`), 'mri', { strength: 4, seed: 0 });
    // Both are float64 sums stored as float32: half a unit in the last place is 6e-8 of the largest value.
    expect(largest(difference(result, expected))).toBeLessThan(1e-6 * largest(expected.data));
  });

  it('keeps a wave below the cut and removes one above it', () => {
    const [width, height] = [48, 30];
    const wave = (frequency: number) => ({
      width,
      height,
      data: Float32Array.from({ length: width * height }, (_, i) =>
        2 + Math.cos((2 * Math.PI * frequency * (i % width)) / width),
      ),
    });
    // 24 of 48 coefficients are kept at factor 2 (−12 … 11), 12 at factor 4 (−6 … 5).
    const low = wave(5);
    expect(largest(difference(degrade(low, 'mri', { strength: 4, seed: 0 }), low))).toBeLessThan(1e-5);
    const high = wave(11);
    expect(largest(difference(degrade(high, 'mri', { strength: 2, seed: 0 }), high))).toBeLessThan(1e-5);
    expect(degrade(high, 'mri', { strength: 4, seed: 0 }).data.every((value) => Math.abs(value - 2) < 1e-5)).toBe(true);
  });

  it.each([
    [1, 1],
    [1, 7],
    [3, 2],
  ])('keeps at least the mean of a %i × %i slice', (width, height) => {
    const slice = { width, height, data: new Float32Array(width * height).fill(5) };
    for (const value of degrade(slice, 'mri', { strength: 4, seed: 0 }).data) expect(value).toBeCloseTo(5, 5);
  });

  it('takes non-finite voxels as 0 and stays finite', () => {
    const slice = phantom(16);
    slice.data.set([NaN, Infinity], 100);
    const clean = { ...slice, data: slice.data.map((value) => (Number.isFinite(value) ? value : 0)) };
    expect(degrade(slice, 'mri', { strength: 2, seed: 0 })).toEqual(degrade(clean, 'mri', { strength: 2, seed: 0 }));
  });
});

/*
 * Expected: mean over torch seeds 0 … 7 of the noise's standard deviation in the middle of the phantom, and of that of
 * its difference between neighbouring columns, by simulate.py (PyTorch):
 *   e = low_dose_ct(1000 * phantom(n) - 1000, mm, dose) - hu; m = slice(int(.3 * n), int(.7 * n))
 *   print(e[m, m].std(), (e - numpy.roll(e, 1, 1))[m, m].std())
 */
describe('CT: low dose', () => {
  it.each([
    { n: 128, spacing: 2.5, dose: 0.05, deviation: 7.836, neighbours: 6.019 },
    { n: 128, spacing: 2.5, dose: 0.25, deviation: 2.97, neighbours: 2.304 },
    { n: 128, spacing: 2.5, dose: 0.5, deviation: 1.728, neighbours: 1.319 },
    { n: 256, spacing: 1.25, dose: 0.25, deviation: 6.038, neighbours: 4.603 },
  ])('has the noise of the PyTorch simulation at dose $dose, $n²', ({ n, spacing, dose, deviation, neighbours }) => {
    const hu = huPhantom(n);
    const noises = [1, 2, 3, 4].map((seed) =>
      difference(degrade(hu, 'ct', { strength: dose, seed, pixelSpacing: spacing }), hu),
    );
    // One image scatters by 3 to 4 % at 128²; 8 % is nearly four standard errors of the difference of means.
    const steps = noises.map((e) => e.map((value, i) => value - (e[i - 1] ?? 0)));
    expect(Math.abs(average(steps.map((e) => middleDeviation(e, n))) / neighbours - 1)).toBeLessThan(0.08);
    expect(Math.abs(average(noises.map((e) => middleDeviation(e, n))) / deviation - 1)).toBeLessThan(0.08);
  });

  it('is the same for a seed, another for another', () => {
    const hu = huPhantom(40);
    const once = degrade(hu, 'ct', { strength: 0.25, seed: 1, pixelSpacing: 8 });
    expect(degrade(hu, 'ct', { strength: 0.25, seed: 1, pixelSpacing: 8 })).toEqual(once);
    expect(degrade(hu, 'ct', { strength: 0.25, seed: 2, pixelSpacing: 8 })).not.toEqual(once);
  });

  it('takes odd sizes that are not square, and leaves a non-finite voxel as it is', () => {
    const slice = { width: 37, height: 21, data: new Float32Array(37 * 21) };
    slice.data[400] = NaN;
    const result = degrade(slice, 'ct', { strength: 0.25, seed: 1 });
    expect([result.width, result.height, result.data.length]).toEqual([37, 21, 777]);
    expect(result.data.map((value, i) => (Number.isFinite(value) ? -1 : i)).filter((i) => i >= 0)).toEqual(
      Float32Array.of(400),
    );
  });

  it('takes [0, 1] for −1024 … 3072 HU where asked to', () => {
    const hu = huPhantom(32);
    const unit = { ...hu, data: hu.data.map((value) => (value + 1024) / 4096) };
    const options = { strength: 0.25, seed: 3, pixelSpacing: 8 };
    const expected = degrade(hu, 'ct', options).data;
    const result = degrade(unit, 'ct', { ...options, unitInterval: true }).data;
    // Rounding to float32 on the way: 4096 · 6e-8, a few times.
    expect(largest(result.map((value, i) => value * 4096 - 1024 - expected[i]!))).toBeLessThan(2e-2);
  });
});

/*
 * Expected: mean over torch seeds 0 … 7 of sqrt(mean((low_count_pet(phantom(n), drf) - phantom(n))²)) by simulate.py.
 */
describe('PET: low count', () => {
  it.each([
    { n: 64, drf: 2, expected: 0.09279 },
    { n: 64, drf: 12, expected: 0.17898 },
    { n: 64, drf: 20, expected: 0.22584 },
    { n: 128, drf: 12, expected: 0.28397 },
  ])('errs as much as the PyTorch simulation at DRF $drf, $n²', ({ n, drf, expected }) => {
    const reference = phantom(n);
    const errors = [1, 2, 3, 4].map((seed) => rmse(degrade(reference, 'pet', { strength: drf, seed }), reference));
    // One image's RMSE scatters by 2 to 4 %: 8 % is over three standard errors of the difference of means.
    expect(Math.abs(average(errors) / expected - 1)).toBeLessThan(0.08);
  });

  it('reconstructs noise-free counts as the PyTorch simulation does', () => {
    // simulate.py with torch.poisson replaced by the identity: e = low_count_pet(phantom(64)).
    const exact = { uniform: () => 0.5, normal: () => 0, poisson: (mean: number) => mean };
    const result = degradePet(phantom(64), PET_DEFAULTS, exact);
    const at = (i: number, j: number) => result.data[i * 64 + j]!;
    // PyTorch works in float32 through 32 updates: 1e-4.
    expect(at(32, 32)).toBeCloseTo(1.0035853, 3);
    expect(at(20, 40)).toBeCloseTo(1.0375308, 3);
    expect(at(36, 20)).toBeCloseTo(0.6327316, 3);
    expect(at(5, 5)).toBeCloseTo(0, 4);
    expect(average(result.data)).toBeCloseTo(0.28235266, 4);
    expect(rmse(result, phantom(64))).toBeCloseTo(0.063900865, 4);
  });

  it('does not depend on the units of the slice', () => {
    const suv = phantom(48);
    const becquerel = { ...suv, data: suv.data.map((value) => value * 4096) };
    const a = degrade(suv, 'pet', { strength: 12, seed: 9 }).data;
    const b = degrade(becquerel, 'pet', { strength: 12, seed: 9 }).data;
    // A power of two only moves exponents.
    for (let i = 0; i < a.length; i++) expect(b[i]! / 4096).toBeCloseTo(a[i]!, 5);
  });

  it('gives zeros for a slice without activity, and a finite result where voxels are not', () => {
    const empty = { width: 9, height: 14, data: new Float32Array(126) };
    expect(degrade(empty, 'pet', { strength: 12, seed: 1 })).toEqual(empty);
    const broken = phantom(24);
    broken.data[300] = NaN;
    expect(degrade(broken, 'pet', { strength: 12, seed: 1 }).data.every(Number.isFinite)).toBe(true);
  });
});

describe('strength', () => {
  it.each([
    ['ct', 0.9],
    ['ct', 0],
    ['pet', 1],
    ['pet', NaN],
    ['mri', 3],
  ] as const)('of %s is refused at %d with what is allowed', (task, strength) => {
    const attempt = () => degrade(phantom(8), task, { strength, seed: 0 });
    expect(attempt).toThrow(/^degrade: .* is not simulated for .*; choose/);
  });

  it('has a standard value inside its scale for every task, and words for it', () => {
    for (const task of ['ct', 'pet', 'mri'] as const) {
      const { standard, minimum, maximum } = STRENGTH[task];
      expect(standard >= minimum && standard <= maximum).toBe(true);
    }
    expect(degradationSentence('mri', 4)).toBe('25 % of k-space along each axis');
    expect(degradationSentence('mri', 2, 0.025)).toBe(
      '50 % of k-space along each axis, with noise of 2.5 % of the brightest signal',
    );
    expect(degradationSentence('ct', 0.25)).toBe('25 % of the dose, simulated in the projections');
    expect(degradationSentence('pet', 12)).toBe('1/12 of the counts, reconstructed by OSEM');
  });
});

describe('a slice', () => {
  it.each(['ct', 'pet', 'mri'] as const)('with an edge that would take minutes is refused for %s', (task) => {
    const slice = { width: 3, height: 2049, data: new Float32Array(3 * 2049) };
    expect(() => degrade(slice, task, { strength: STRENGTH[task].standard, seed: 0 })).toThrow(
      'degrade: a slice of 3 × 2049 is too large to simulate; crop or shrink it to 2048 × 2048',
    );
  });
});
