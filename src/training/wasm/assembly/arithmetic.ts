// What the kernels compute with: four float32 at a time. Of larger and smaller values pmax and pmin are taken, which are one
// instruction each, max and min seven; they differ for NaN in the second operand, and in the sign of zeros.

/** a·b + c, in one instruction and one rounding where the binary is compiled for relaxed SIMD. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Beyond these e^x is taken at the bound, where it and its reciprocal are still normal numbers. */
const BOUND: f32 = 80;

/**
 * e^x to 1e-7 of itself, for x clamped to ±80: 2^n of the nearest n by the exponent's bits, the rest, at most ln 2 / 2, by
 * the polynomial of the Cephes library's expf.
 */
@inline
export function exponential(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-BOUND)), f32x4.splat(BOUND));
  // 1.5 · 2²³: what is added to it is rounded to an integer, which stands in the low bits.
  const shifted = madd(x, f32x4.splat(1.44269504088896341), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  // ln 2 in two parts, of which n times the first is exact.
  let f = madd(n, f32x4.splat(-0.693359375), x);
  f = madd(n, f32x4.splat(2.12194440e-4), f);
  let p = madd(f32x4.splat(1.9875691500e-4), f, f32x4.splat(1.3981999507e-3));
  p = madd(p, f, f32x4.splat(8.3334519073e-3));
  p = madd(p, f, f32x4.splat(4.1665795894e-2));
  p = madd(p, f, f32x4.splat(1.6666665459e-1));
  p = madd(p, f, f32x4.splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(f, f), f32x4.add(f, f32x4.splat(1)));
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** 1/(1 + e^−x) */
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exponential(f32x4.neg(x))));
}
