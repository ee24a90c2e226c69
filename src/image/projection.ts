import type { Slice } from './slice.ts';

/**
 * Parallel-beam projections of a square image over 180°, by rotating the image with bilinear interpolation and summing
 * its columns. Angle a of A looks along π·a/A; the detector has n bins as wide as a pixel. What a rotation moves out of
 * the square is not seen: content should lie within the inscribed circle.
 */
export interface Geometry {
  /** Pixels along an edge of the image, and detector bins. */
  readonly n: number;
  readonly angles: number;
}

/**
 * Line integrals in pixel lengths. image [n, n] → sinogram [angles, n], row a at a·n. `only` gives the angles to
 * compute (all others are left as they are in `into`).
 */
export function project(
  { n, angles }: Geometry,
  image: Float32Array,
  only: readonly number[] = every(angles),
  into: Float32Array = new Float32Array(angles * n),
): Float32Array {
  const padded = withBorder(image, n);
  const stride = n + 2;
  const centre = (n - 1) / 2;
  const sums = new Float64Array(n);
  for (const a of only) {
    const cos = Math.cos((Math.PI * a) / angles);
    const sin = Math.sin((Math.PI * a) / angles);
    sums.fill(0);
    for (let i = 0; i < n; i++) {
      // Position in the padded image of detector bin j, step i along the ray: (x0 + j·cos, y0 + j·sin).
      const x0 = centre + 1 - centre * cos - (i - centre) * sin;
      const y0 = centre + 1 - centre * sin + (i - centre) * cos;
      const [first, last] = inside(x0, cos, y0, sin, n);
      for (let j = first; j <= last; j++) {
        const x = x0 + j * cos;
        const y = y0 + j * sin;
        const left = x | 0;
        const top = y | 0;
        const fx = x - left;
        const at = top * stride + left;
        const upper = padded[at]! + fx * (padded[at + 1]! - padded[at]!);
        const lower = padded[at + stride]! + fx * (padded[at + stride + 1]! - padded[at + stride]!);
        sums[j]! += upper + (y - top) * (lower - upper);
      }
    }
    into.set(sums, a * n);
  }
  return into;
}

/** Smears a sinogram [angles, n] back over an image [n, n]: the sum over the angles `only` of profiles along rays. */
export function backproject(
  { n, angles }: Geometry,
  sinogram: Float32Array,
  only: readonly number[] = every(angles),
): Float32Array {
  const image = new Float32Array(n * n);
  const centre = (n - 1) / 2;
  // A zero at both ends: a profile fades out over half a pixel beyond its last bin.
  const profile = new Float64Array(n + 2);
  for (const a of only) {
    const cos = Math.cos((Math.PI * a) / angles);
    const sin = -Math.sin((Math.PI * a) / angles);
    profile.set(sinogram.subarray(a * n, (a + 1) * n), 1);
    for (let i = 0; i < n; i++) {
      const x0 = centre + 1 - centre * cos - (i - centre) * sin;
      const y0 = centre + 1 - centre * sin + (i - centre) * cos;
      const [first, last] = inside(x0, cos, y0, sin, n);
      for (let j = first, at = i * n + first; j <= last; j++, at++) {
        const x = x0 + j * cos;
        const left = x | 0;
        const value = profile[left]! + (x - left) * (profile[left + 1]! - profile[left]!);
        // Beyond the square's edge along the ray there is nothing to smear: fades over one pixel.
        const y = y0 + j * sin;
        image[at]! += y < 1 ? value * y : y > n ? value * (n + 1 - y) : value;
      }
    }
  }
  return image;
}

export interface Square {
  readonly n: number;
  /** [n, n] */
  readonly data: Float32Array;
  /** Cuts the slice out of a square result. */
  readonly back: (square: Float32Array) => Slice;
}

/** A square image with the slice in its middle and `outside` around it, and the way back. */
export function toSquare(slice: Slice, outside: number): Square {
  const { width, height } = slice;
  const n = Math.max(width, height);
  const left = (n - width) >> 1;
  const top = (n - height) >> 1;
  const data = new Float32Array(n * n).fill(outside);
  for (let y = 0; y < height; y++) data.set(slice.data.subarray(y * width, (y + 1) * width), (y + top) * n + left);
  const back = (square: Float32Array): Slice => {
    const cropped = new Float32Array(width * height);
    for (let y = 0; y < height; y++) {
      const from = (y + top) * n + left;
      cropped.set(square.subarray(from, from + width), y * width);
    }
    return { width, height, data: cropped };
  };
  return { n, data, back };
}

function every(angles: number): number[] {
  return Array.from({ length: angles }, (_, a) => a);
}

/** The image with one row and column of zeros on every side. */
function withBorder(image: Float32Array, n: number): Float32Array {
  const padded = new Float32Array((n + 2) * (n + 2));
  for (let y = 0; y < n; y++) padded.set(image.subarray(y * n, (y + 1) * n), (y + 1) * (n + 2) + 1);
  return padded;
}

/** First and last j in 0 … n − 1 for which x0 + j·dx and y0 + j·dy lie in [0, n + 1): where the image can be read. */
function inside(x0: number, dx: number, y0: number, dy: number, n: number): [first: number, last: number] {
  let first = 0;
  let last = n - 1;
  for (const [start, step] of [
    [x0, dx],
    [y0, dy],
  ] as const) {
    if (Math.abs(step) < 1e-12) {
      if (!(start >= 0 && start < n + 1)) last = -1;
      continue;
    }
    const a = -start / step;
    const b = (n + 1 - start) / step;
    first = Math.max(first, Math.ceil(Math.min(a, b)));
    last = Math.min(last, Math.floor(Math.max(a, b)));
  }
  // Rounding can put an end a hair outside, where the truncation below would read a neighbouring row.
  const outside = (j: number) => {
    const x = x0 + j * dx;
    const y = y0 + j * dy;
    return !(x >= 0 && x < n + 1 && y >= 0 && y < n + 1);
  };
  while (first <= last && outside(first)) first++;
  while (last >= first && outside(last)) last--;
  return [first, last];
}
