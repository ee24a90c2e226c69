import type { StoredTensor } from '../weights/tensor.ts';

/** One tensor that a subject computed, beside the one expected. */
export interface Comparison {
  /** The expected tensor's name in its file. */
  readonly tensor: string;
  readonly got: StoredTensor;
  readonly expected: StoredTensor;
  /** `tensor` measures against the tensor's largest value, `each` every value against itself. */
  readonly rule: 'tensor' | 'each';
  /** Absolute difference that always passes: some expected gradients are exactly zero. */
  readonly floor: number;
  /** A tolerance of its own, whatever the subject's; null for the subject's. */
  readonly within: number | null;
}

/** Absolute differences that pass beside the relative tolerance. */
const FLOOR = 1e-7;

/** max |a − e| ≤ tolerance · max |e| + 1e-7 */
export function wholeTensor(tensor: string, got: StoredTensor, expected: StoredTensor): Comparison {
  return { tensor, got, expected, rule: 'tensor', floor: FLOOR, within: null };
}

/** |a − e| ≤ tolerance · |e| + floor for each value, for lists of separate quantities (a loss, a norm). */
export function eachValue(
  tensor: string, got: StoredTensor, expected: StoredTensor,
  { floor = FLOOR, within }: { readonly floor?: number; readonly within?: number } = {},
): Comparison {
  return { tensor, got, expected, rule: 'each', floor, within: within ?? null };
}

/**
 * The largest |a − e| / (scale + floor / tolerance), which is at most `tolerance` exactly where the comparison passes
 * (scaled so where the comparison has a tolerance of its own); infinite where the shapes differ or a value is not a
 * number.
 */
export function relativeError({ got, expected, rule, floor, within }: Comparison, tolerance: number): number {
  const sameShape = got.shape.length === expected.shape.length && got.shape.every((n, i) => n === expected.shape[i]);
  if (!sameShape || got.data.length !== expected.data.length) return Infinity;
  let largest = 0;
  for (const value of expected.data) largest = Math.max(largest, Math.abs(value));
  let error = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const scale = rule === 'tensor' ? largest : Math.abs(expected.data[i]);
    const difference = Math.abs(got.data[i] - expected.data[i]);
    const relative = difference === 0 ? 0 : difference / (scale + floor / (within ?? tolerance));
    if (Number.isNaN(relative)) return Infinity;
    error = Math.max(error, relative);
  }
  return within === null ? error : (error * tolerance) / within;
}
