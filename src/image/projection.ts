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
 * compute (all others are left as they are in `into`). Air that is exactly 0 around the content costs no time, and two
 * angles at 90° cost little more than one.
 */
export function project(
  { n, angles }: Geometry,
  image: Float32Array,
  only: readonly number[] = every(angles),
  into: Float32Array = new Float32Array(angles * n),
): Float32Array {
  const pairs = withQuarterTurn(image, n);
  const row = 2 * (n + 2);
  const centre = (n - 1) / 2;
  const box = contentBox(image, n);
  const wanted = new Set(only);
  for (const a of only) {
    if (wanted.has(a - angles / 2)) continue;
    const cos = Math.cos((Math.PI * a) / angles);
    const sin = Math.sin((Math.PI * a) / angles);
    const partner = wanted.has(a + angles / 2) ? a + angles / 2 : null;
    for (let j = 0; j < n; j++) {
      // Position in the padded image of detector bin j, step i along the ray: (x0 − i·sin, y0 + i·cos).
      const x0 = centre + 1 + (j - centre) * cos + centre * sin;
      const y0 = centre + 1 + (j - centre) * sin - centre * cos;
      const { first, last } = stepsInside(box, n, x0, -sin, y0, cos);
      let x = x0 - first * sin;
      let y = y0 + first * cos;
      let sum = 0;
      let turnedSum = 0;
      for (let i = first; i <= last; i++) {
        const left = x | 0;
        const top = y | 0;
        const fx = x - left;
        const fy = y - top;
        const upper = 2 * left + row * top;
        const lower = upper + row;
        const a0 = pairs[upper]!;
        const b0 = pairs[lower]!;
        const above = a0 + fx * (pairs[upper + 2]! - a0);
        sum += above + fy * (b0 + fx * (pairs[lower + 2]! - b0) - above);
        const a1 = pairs[upper + 1]!;
        const b1 = pairs[lower + 1]!;
        const turnedAbove = a1 + fx * (pairs[upper + 3]! - a1);
        turnedSum += turnedAbove + fy * (b1 + fx * (pairs[lower + 3]! - b1) - turnedAbove);
        x -= sin;
        y += cos;
      }
      into[a * n + j] = sum;
      if (partner !== null) into[partner * n + j] = turnedSum;
    }
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
  const square: Box = { left: 0, right: n + 1, top: 0, bottom: n + 1 };
  // A zero at both ends: a profile fades out over half a pixel beyond its last bin.
  const profile = new Float64Array(n + 2);
  for (const a of only) {
    const cos = Math.cos((Math.PI * a) / angles);
    const sin = -Math.sin((Math.PI * a) / angles);
    profile.set(sinogram.subarray(a * n, (a + 1) * n), 1);
    for (let i = 0; i < n; i++) {
      // Position of pixel j in the profile, and along the ray; the latter falls as j grows, for sin ≤ 0.
      const x0 = centre + 1 - centre * cos - (i - centre) * sin;
      const y0 = centre + 1 - centre * sin + (i - centre) * cos;
      const { first, last } = stepsInside(square, n, x0, cos, y0, sin);
      // Beyond the square's edge along the ray there is nothing to smear: it fades over one pixel at both ends.
      let from = first;
      let to = last;
      for (let y = y0 + from * sin; from <= to && y > n; y = y0 + ++from * sin) {
        image[i * n + from]! += (n + 1 - y) * valueAt(profile, x0 + from * cos);
      }
      for (let y = y0 + to * sin; to >= from && y < 1; y = y0 + --to * sin) {
        image[i * n + to]! += y * valueAt(profile, x0 + to * cos);
      }
      for (let j = from, at = i * n + from; j <= to; j++, at++) {
        image[at]! += valueAt(profile, x0 + j * cos);
      }
    }
  }
  return image;
}

/** Linear interpolation at a position ≥ 0. */
function valueAt(profile: Float64Array, x: number): number {
  const left = x | 0;
  const value = profile[left]!;
  return value + (x - left) * (profile[left + 1]! - value);
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

/**
 * The image with one row and column of zeros on every side, each pixel beside that of the image turned by 90°. A second
 * row of zeros below is for positions that rounding puts a hair beyond the last.
 */
function withQuarterTurn(image: Float32Array, n: number): Float32Array {
  const pairs = new Float32Array(2 * (n + 2) * (n + 4));
  for (let y = 0; y < n; y++) {
    for (let x = 0, at = 2 * ((y + 1) * (n + 2) + 1); x < n; x++, at += 2) {
      pairs[at] = image[y * n + x]!;
      pairs[at + 1] = image[x * n + n - 1 - y]!;
    }
  }
  return pairs;
}

/** Positions in a padded image, left ≤ x < right and top ≤ y < bottom. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where bilinear interpolation in the padded image, or in it turned by 90°, can give anything but 0. */
function contentBox(image: Float32Array, n: number): Box {
  let [least, most] = [n, -2];
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) {
      if (image[y * n + x] === 0) continue;
      least = Math.min(least, x, y, n - 1 - x);
      most = Math.max(most, x, y, n - 1 - x);
    }
  }
  return { left: least, right: most + 2, top: least, bottom: most + 2 };
}

/** First and last step k in 0 … n − 1 for which (x0 + k·dx, y0 + k·dy) lies in the box. */
function stepsInside(box: Box, n: number, x0: number, dx: number, y0: number, dy: number) {
  const { left, right, top, bottom } = box;
  let first = 0;
  let last = n - 1;
  if (Math.abs(dx) < 1e-12) {
    if (!(x0 >= left && x0 < right)) last = -1;
  } else {
    const a = (left - x0) / dx;
    const b = (right - x0) / dx;
    first = Math.max(first, Math.ceil(Math.min(a, b)));
    last = Math.min(last, Math.floor(Math.max(a, b)));
  }
  if (Math.abs(dy) < 1e-12) {
    if (!(y0 >= top && y0 < bottom)) last = -1;
  } else {
    const a = (top - y0) / dy;
    const b = (bottom - y0) / dy;
    first = Math.max(first, Math.ceil(Math.min(a, b)));
    last = Math.min(last, Math.floor(Math.max(a, b)));
  }
  // Rounding can put an end a hair outside, where a truncated position would be a neighbouring row.
  while (first <= last && !contains(box, x0 + first * dx, y0 + first * dy)) first++;
  while (last >= first && !contains(box, x0 + last * dx, y0 + last * dy)) last--;
  return { first, last };
}

function contains({ left, right, top, bottom }: Box, x: number, y: number): boolean {
  return x >= left && x < right && y >= top && y < bottom;
}
