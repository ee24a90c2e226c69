import { describe, expect, it } from 'vitest';
import { CT_DEFAULTS } from './degradeCt.ts';
import { degrade } from './degrade.ts';
import { brightestSignal } from './degradeMri.ts';
import { average, phantom } from './phantom.fixture.ts';
import type { Slice } from './slice.ts';

const uniform = (width: number, height: number, value: number): Slice => ({
  width,
  height,
  data: new Float32Array(width * height).fill(value),
});

const meanSquare = (values: ArrayLike<number>) => average(Array.from(values, (value) => value * value));

const N = 128;
/** mm; with it a ray through the disc's centre crosses 100 mm of water. */
const SPACING = 1;
const RADIUS = 50;

/** Water (0 HU) in air. */
const waterDisc: Slice = {
  width: N,
  height: N,
  data: Float32Array.from({ length: N * N }, (_, i) => {
    const [x, y] = [(i % N) - (N - 1) / 2, Math.floor(i / N) - (N - 1) / 2];
    return x * x + y * y < RADIUS * RADIUS ? 0 : -1000;
  }),
};

/** The noise in the middle 64 × 64 pixels, all of them water. */
function discNoise(dose: number, seed: number): Float64Array {
  const { data } = degrade(waterDisc, 'ct', { strength: dose, seed, pixelSpacing: SPACING });
  return Float64Array.from({ length: 64 * 64 }, (_, i) => {
    const at = (32 + Math.floor(i / 64)) * N + 32 + (i % 64);
    return data[at]! - waterDisc.data[at]!;
  });
}

const RAMP = (k: number) => (k === 0 ? 1 / 4 : k % 2 === 0 ? 0 : -1 / (Math.PI * k) ** 2);
/** The ramp under cos²(πf), f in cycles a pixel, whose coefficients are 1/4, 1/2, 1/4. */
const FILTER = (k: number) => RAMP(k - 1) / 4 + RAMP(k) / 2 + RAMP(k + 1) / 4;

/*
 * The law. A line integral p of λ = photons·dose·e^(−p) counted photons has the variance 1/λ + electronic²/λ², which
 * without read-out noise is v/dose with v = e^p/photons. Reconstruction is linear: the image's variance is σ²/dose,
 * where σ² is that of the full dose. The reference has σ² already, so (1/dose − 1)·σ² = (1 − dose)·σ²/dose is added, and
 * the result has σ²/dose: its RMS goes as 1/√dose, and so does the RMS added, over √(1 − dose).
 *
 * σ² itself: π/A times the sum over A angles of the filtered rows, read between two bins at any fraction u. With R_k the
 * autocorrelation of the filter, that has the variance E[(1−u)² + u²]·R_0 + 2·E[u·(1−u)]·R_1 = (2·R_0 + R_1)/3.
 */
describe('CT noise', () => {
  const doses = [0.05, 0.1, 0.25, 0.5];
  const added = doses.map((dose) => {
    const images = [1, 2, 3, 4, 5].map((seed) => meanSquare(discNoise(dose, Math.round(1000 * dose) + seed)));
    return Math.sqrt(average(images));
  });
  // One image's RMS scatters by 2 %, the mean of five by 1 %; the ratio of two of them by 1.4 %.

  it('makes the image as noisy as 1/√dose, what the reference has of its own included', () => {
    const fullDose = added.map((rms, i) => (rms / Math.sqrt(1 - doses[i]!)) * Math.sqrt(doses[i]!));
    const own = average(fullDose);
    for (const [i, dose] of doses.entries()) {
      expect(Math.abs(fullDose[i]! / own - 1)).toBeLessThan(0.05);
      const total = Math.hypot(added[i]!, own);
      expect(Math.abs((total * Math.sqrt(dose)) / own - 1)).toBeLessThan(0.05);
    }
  });

  it('has the RMS that counting statistics and the filter give, in HU', () => {
    const lags = Array.from({ length: 401 }, (_, i) => i - 200);
    const [r0, r1] = [0, 1].map((k) => lags.reduce((sum, lag) => sum + FILTER(lag) * FILTER(lag + k), 0));
    const { photons, electronic, angles } = CT_DEFAULTS;
    // Distances from the disc's centre of the rays, a degree apart, through pixels of the middle 64 × 64.
    const throughMiddle = Array.from({ length: 256 * 180 }, (_, i) => {
      const [pixel, angle] = [Math.floor(i / 180), (Math.PI * (i % 180)) / 180];
      const [x, y] = [4 * (pixel % 16) - 30, 4 * Math.floor(pixel / 16) - 30];
      return x * Math.cos(angle) + y * Math.sin(angle);
    });
    for (const [i, dose] of doses.entries()) {
      const variances = throughMiddle.map((distance) => {
        const path = 2 * Math.sqrt(RADIUS ** 2 - distance ** 2) * SPACING;
        const counted = photons * dose * Math.exp(-0.0192 * path);
        return 1 / counted + electronic ** 2 / counted ** 2;
      });
      const perPixel = Math.sqrt(((Math.PI ** 2 / angles) * average(variances) * (2 * r0! + r1!)) / 3);
      const expected = (perPixel / SPACING / 0.0192) * 1000 * Math.sqrt(1 - dose);
      expect(Math.abs(added[i]! / expected - 1)).toBeLessThan(0.05);
    }
  });

  /*
   * Back-projection of white noise under a filter H gives the power |H(f)|²/f at the radius f of the image's spectrum:
   * f·cos⁴(πf) for the ramp under cos²(πf), times sinc⁴(f) for the linear interpolation between bins.
   */
  it('is correlated as FBP noise is: its power rises in proportion to frequency from zero', () => {
    const power = radialPower([1, 2, 3, 4, 5, 6, 7, 8].map((seed) => discNoise(0.25, seed)));
    const sinc = (f: number) => Math.sin(Math.PI * f) / (Math.PI * f);
    const law = power.map((_, r) => {
      const f = r / WINDOW;
      return r === 0 ? 0 : f * Math.cos(Math.PI * f) ** 4 * sinc(f) ** 4;
    });
    // Between f = 1/16 and 5/16: below, the window of 32 pixels smears the cusp at 0; above, bins alias.
    const bins = [2, 3, 4, 5, 6, 7, 8, 9, 10];
    const scale = average(bins.map((r) => power[r]!)) / average(bins.map((r) => law[r]!));
    // A ring of 2πr coefficients of 32 spectra, of which the Hann window correlates neighbours: 5 to 10 %.
    for (const r of bins) expect(Math.abs(power[r]! / (scale * law[r]!) - 1)).toBeLessThan(0.2);
    const peak = Math.max(...power);
    expect(power[0]!).toBeLessThan(0.25 * peak);
    expect(power[1]!).toBeLessThan(power[2]!);
    expect(power[2]!).toBeLessThan(power[3]!);
    expect(power[15]!).toBeLessThan(0.05 * peak);
  });
});

const WINDOW = 32;

/** Mean power of four Hann-windowed 32 × 32 parts of each 64 × 64 image, averaged over rings of frequency r/32. */
function radialPower(images: readonly Float64Array[]): number[] {
  const sums = new Float64Array(WINDOW / 2);
  const counts = new Float64Array(WINDOW / 2);
  const hann = (i: number) => Math.sin((Math.PI * (i + 0.5)) / WINDOW) ** 2;
  const signed = (k: number) => (k < WINDOW / 2 ? k : k - WINDOW);
  for (const image of images) {
    for (const corner of [0, WINDOW, 64 * WINDOW, 65 * WINDOW]) {
      const part = Float64Array.from({ length: WINDOW * WINDOW }, (_, i) => {
        const [x, y] = [i % WINDOW, Math.floor(i / WINDOW)];
        return image[corner + y * 64 + x]! * hann(x) * hann(y);
      });
      powerOf(part).forEach((value, i) => {
        const radius = Math.round(Math.hypot(signed(i % WINDOW), signed(Math.floor(i / WINDOW))));
        if (radius >= WINDOW / 2) return;
        sums[radius]! += value;
        counts[radius]! += 1;
      });
    }
  }
  return Array.from(sums, (sum, r) => sum / counts[r]!);
}

/** |DFT|² of a real 32 × 32 image by its definition, rows first. */
function powerOf(image: Float64Array): Float64Array {
  const turn = Array.from({ length: WINDOW }, (_, i) => (2 * Math.PI * i) / WINDOW);
  const [cos, sin] = [turn.map(Math.cos), turn.map(Math.sin)];
  const power = new Float64Array(WINDOW * WINDOW);
  const re = new Float64Array(WINDOW * WINDOW);
  const im = new Float64Array(WINDOW * WINDOW);
  for (let y = 0; y < WINDOW; y++) {
    for (let f = 0; f < WINDOW; f++) {
      for (let x = 0; x < WINDOW; x++) {
        re[y * WINDOW + f]! += image[y * WINDOW + x]! * cos[(f * x) % WINDOW]!;
        im[y * WINDOW + f]! -= image[y * WINDOW + x]! * sin[(f * x) % WINDOW]!;
      }
    }
  }
  for (let g = 0; g < WINDOW; g++) {
    for (let f = 0; f < WINDOW; f++) {
      let [a, b] = [0, 0];
      for (let y = 0; y < WINDOW; y++) {
        const [c, s] = [cos[(g * y) % WINDOW]!, sin[(g * y) % WINDOW]!];
        a += re[y * WINDOW + f]! * c + im[y * WINDOW + f]! * s;
        b += im[y * WINDOW + f]! * c - re[y * WINDOW + f]! * s;
      }
      power[g * WINDOW + f] = a * a + b * b;
    }
  }
  return power;
}

describe('PET noise', () => {
  const n = 64;
  const reference = phantom(n);
  /** The ellipse less its rim, inserts included. */
  const body = Array.from({ length: n * n }, (_, i) => i).filter((i) => {
    const [x, y] = [(2 * (i % n) + 1) / n - 1, (2 * Math.floor(i / n) + 1) / n - 1];
    return (x / 0.6) ** 2 + (y / 0.42) ** 2 < 1;
  });
  const factors = [2, 4, 12, 20];
  const images = factors.map((drf) =>
    Array.from({ length: 12 }, (_, seed) => degrade(reference, 'pet', { strength: drf, seed: 100 * drf + seed }).data),
  );

  it.each(factors)('keeps the mean activity within 1 % at DRF %d, over the slice and in the body', (drf) => {
    const made = images[factors.indexOf(drf)]!;
    const kept = (pixels: readonly number[]) =>
      average(made.map((image) => average(pixels.map((i) => image[i]!)))) / average(pixels.map((i) => reference.data[i]!));
    // Counting scatters the mean of twelve by √(20/4e5/12) = 0.2 % at most.
    expect(Math.abs(kept(Array.from(reference.data.keys())) - 1)).toBeLessThan(0.01);
    // Two iterations leave a little of the rim's and inserts' contrast unresolved: + 0.4 to 0.6 %.
    expect(Math.abs(kept(body) - 1)).toBeLessThan(0.01);
  });

  it('varies in its total only as counting does', () => {
    for (const [row, drf] of factors.entries()) {
      for (const image of images[row]!) {
        // 4e5/drf counts; four standard deviations, for 48 images.
        expect(Math.abs(average(image) / average(reference.data) - 1)).toBeLessThan(4 * Math.sqrt(drf / 4e5));
      }
    }
  });

  it('has a variance in proportion to the dose reduction factor', () => {
    const perFactor = images.map((made, row) => {
      const variances = body.map((i) => {
        const mean = average(made.map((image) => image[i]!));
        return made.reduce((sum, image) => sum + (image[i]! - mean) ** 2, 0) / (made.length - 1);
      });
      return average(variances) / factors[row]!;
    });
    // 1600 correlated pixels of twelve images: 2 %. The updates are products, so that the law bends by 6 % to DRF 20.
    for (const value of perFactor) expect(Math.abs(value / perFactor[0]! - 1)).toBeLessThan(0.1);
  });
});

/*
 * The magnitude m of a signal A with complex noise of σ a part: E[m²] = A² + 2σ². Without signal Rayleigh's
 * distribution: E[m] = σ·√(π/2), E[m⁴] = 8σ⁴. A quarter (or a sixteenth) of the pixels is independent.
 */
describe('MRI noise', () => {
  const noisy = (slice: Slice, factor: number, seed: number, noise = 0.1, brightest = 50) =>
    degrade(slice, 'mri', { strength: factor, seed, noise, brightest }).data;
  const seeds = [1, 2, 3, 4];

  it.each([2, 4])('is Rayleigh distributed without signal at factor %d', (factor) => {
    const values = seeds.flatMap((seed) => Array.from(noisy(uniform(90, 70, 0), factor, seed)));
    const independent = values.length / factor ** 2;
    // σ = 0.1 · 50. Four standard errors: those of m, m² and m⁴ are 0.523, 1 and √5 of their means.
    expect(Math.abs(average(values) / (5 * Math.sqrt(Math.PI / 2)) - 1)).toBeLessThan((4 * 0.523) / Math.sqrt(independent));
    expect(Math.abs(meanSquare(values) / 50 - 1)).toBeLessThan(4 / Math.sqrt(independent));
    const fourth = average(values.map((value) => value ** 4));
    expect(Math.abs(fourth / (8 * 625) - 1)).toBeLessThan((4 * Math.sqrt(5)) / Math.sqrt(independent));
  });

  it('adds 2σ² to the square of a signal', () => {
    const values = seeds.flatMap((seed) => Array.from(noisy(uniform(90, 70, 20), 2, seed)));
    // Var(m²) = 4σ²(A² + σ²).
    const error = Math.sqrt((4 * 25 * (400 + 25)) / (values.length / 4));
    expect(Math.abs(meanSquare(values) - 450)).toBeLessThan(4 * error);
  });

  it('is the same for a seed, another for another, and absent where none is asked for', () => {
    const slice = phantom(40);
    expect(noisy(slice, 4, 1)).toEqual(noisy(slice, 4, 1));
    expect(noisy(slice, 4, 2)).not.toEqual(noisy(slice, 4, 1));
    const without = degrade(slice, 'mri', { strength: 4, seed: 1 });
    expect(degrade(slice, 'mri', { strength: 4, seed: 2, noise: 0 })).toEqual(without);
  });

  it('is a share of the brightest signal, the slice’s own where no other is given', () => {
    const slice = phantom(40);
    // 1.5 in the bright insert, 4 % of the ellipse: above percentile 99.8 from below.
    expect(brightestSignal(slice.data)).toBe(1.5);
    const own = degrade(slice, 'mri', { strength: 2, seed: 5, noise: 0.04 }).data;
    expect(own).toEqual(noisy(slice, 2, 5, 0.04, 1.5));
    expect(own).not.toEqual(noisy(slice, 2, 5, 0.04, 3));
    expect(brightestSignal(new Float32Array(9))).toBe(0);
  });

  it.each([-0.1, 1.5, NaN])('of %d is refused', (noise) => {
    expect(() => noisy(phantom(8), 2, 0, noise)).toThrow(/^degrade: noise .* is not a share .*; choose 0 to 1/);
  });
});
