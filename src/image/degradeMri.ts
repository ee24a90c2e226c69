import { percentile } from './percentile.ts';
import type { Random } from './random.ts';
import type { Slice } from './slice.ts';

export interface MriDegradation {
  /** Divides the resolution along each axis: 2 keeps 1/2 × 1/2 of k-space, 4 keeps 1/4 × 1/4 (the paper's 6.25 %). */
  readonly factor: 2 | 4;
}

export interface MriNoise {
  /** Standard deviation of the real and of the imaginary part of the image's noise, in the slice's units. */
  readonly sigma: number;
  readonly random: Random;
}

/**
 * MRI super-resolution input: |inverse DFT(central block of the centred 2-D DFT + noise)|, at the slice's own size.
 *
 * The block has round(H/factor) × round(W/factor) coefficients (ties to even, at least 1) and starts at
 * H//2 − kh//2, W//2 − kw//2 of the centred spectrum. Only the kept coefficients are computed, axis by axis in float64:
 * about 2·H·W·kw steps at any size, no power of two needed. Non-finite voxels count as 0.
 *
 * Noise is complex, Gaussian and white over the kept coefficients, as a receiver's is, so that the magnitude follows
 * Rice's distribution: E|m|² = signal² + 2·sigma². It is as smooth as the signal, because the rest of k-space stays 0.
 */
export function degradeMri(slice: Slice, { factor }: MriDegradation, noise: MriNoise | null = null): Slice {
  const { width, height } = slice;
  const kw = keptCoefficients(width, factor);
  const kh = keptCoefficients(height, factor);
  const across = unitCircle(width);
  const down = unitCircle(height);

  // Rows to coefficients: [H, kw].
  const rowsRe = new Float64Array(height * kw);
  const rowsIm = new Float64Array(height * kw);
  for (let y = 0; y < height; y++) {
    for (let f = 0; f < kw; f++) {
      const step = stepOf(f, kw, width);
      let re = 0;
      let im = 0;
      for (let x = 0, at = 0, from = y * width; x < width; x++, from++) {
        const value = slice.data[from]!;
        if (Number.isFinite(value)) {
          re += value * across.cos[at]!;
          im -= value * across.sin[at]!;
        }
        at += step;
        if (at >= width) at -= width;
      }
      rowsRe[y * kw + f] = re;
      rowsIm[y * kw + f] = im;
    }
  }

  // Columns to coefficients and back, still [H, kw].
  const keptRe = new Float64Array(height * kw);
  const keptIm = new Float64Array(height * kw);
  // The inverse DFT adds kw·kh coefficients up and divides by W·H.
  const deviation = noise ? (noise.sigma * width * height) / Math.sqrt(kw * kh) : 0;
  for (let g = 0; g < kh; g++) {
    const step = stepOf(g, kh, height);
    const sumRe = new Float64Array(kw);
    const sumIm = new Float64Array(kw);
    for (let y = 0; y < height; y++) {
      const c = down.cos[(step * y) % height]!;
      const s = down.sin[(step * y) % height]!;
      for (let f = 0, from = y * kw; f < kw; f++, from++) {
        sumRe[f]! += rowsRe[from]! * c + rowsIm[from]! * s;
        sumIm[f]! += rowsIm[from]! * c - rowsRe[from]! * s;
      }
    }
    for (let f = 0; noise && f < kw; f++) {
      sumRe[f]! += deviation * noise.random.normal();
      sumIm[f]! += deviation * noise.random.normal();
    }
    for (let y = 0; y < height; y++) {
      const c = down.cos[(step * y) % height]!;
      const s = down.sin[(step * y) % height]!;
      for (let f = 0, to = y * kw; f < kw; f++, to++) {
        keptRe[to]! += sumRe[f]! * c - sumIm[f]! * s;
        keptIm[to]! += sumRe[f]! * s + sumIm[f]! * c;
      }
    }
  }

  // Coefficients to rows, magnitude.
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const re = new Float64Array(width);
    const im = new Float64Array(width);
    for (let f = 0; f < kw; f++) {
      const step = stepOf(f, kw, width);
      const keptR = keptRe[y * kw + f]!;
      const keptI = keptIm[y * kw + f]!;
      for (let x = 0, at = 0; x < width; x++) {
        re[x]! += keptR * across.cos[at]! - keptI * across.sin[at]!;
        im[x]! += keptR * across.sin[at]! + keptI * across.cos[at]!;
        at += step;
        if (at >= width) at -= width;
      }
    }
    for (let x = 0; x < width; x++) data[y * width + x] = Math.hypot(re[x]!, im[x]!) / (width * height);
  }
  return { width, height, data };
}

/**
 * The signal of a volume's (or slice's) brightest tissue: percentile 99.8 of the voxels above 0, which a few hot voxels
 * do not move; 0 where there is none.
 */
export function brightestSignal(data: Float32Array): number {
  return percentile(data, 99.8, (value) => value > 0) ?? 0;
}

/** cos and sin of 2π·i/n: every angle of a DFT of n points is one of these. */
function unitCircle(n: number): { cos: Float64Array; sin: Float64Array } {
  const angle = (i: number) => (2 * Math.PI * i) / n;
  return {
    cos: Float64Array.from({ length: n }, (_, i) => Math.cos(angle(i))),
    sin: Float64Array.from({ length: n }, (_, i) => Math.sin(angle(i))),
  };
}

/** Kept coefficient f of `kept` has the frequency f − kept//2: its steps per voxel on the unit circle, modulo n. */
function stepOf(f: number, kept: number, n: number): number {
  return (f - Math.floor(kept / 2) + n) % n;
}

/** round(n / factor), ties to even as IEEE 754 and Python round, so that published inputs are met; at least 1. */
function keptCoefficients(n: number, factor: number): number {
  const share = n / factor;
  const floor = Math.floor(share);
  const up = share - floor > 0.5 || (share - floor === 0.5 && floor % 2 === 1);
  return Math.max(1, floor + (up ? 1 : 0));
}
