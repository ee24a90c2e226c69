import { size, zeros, type Float64Image } from './float64Image.ts';

/** Repeatable values, uniform in [−scale, scale) (mulberry32). */
export function noise(shape: readonly number[], seed: number, scale = 1): Float64Image {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let h = Math.imul(state ^ (state >>> 15), state | 1);
    h ^= h + Math.imul(h ^ (h >>> 7), h | 61);
    return ((h ^ (h >>> 14)) >>> 0) / 2 ** 32;
  };
  return { shape, data: Float64Array.from({ length: size(shape) }, () => scale * (2 * next() - 1)) };
}

/** Of this step: truncation is near 1e-10 and rounding near 1e-11 of a function's values. */
const STEP = 1e-5;

/**
 * Compares gradients with central differences: for L = Σ g ⊙ f(inputs) with random g, every value of every input is
 * moved by ±1e-5.
 *
 * @param gradients ∂L/∂input for each input, given g
 * @returns the largest difference, relative to the largest gradient of its input
 */
export function gradientError(
  f: (...inputs: Float64Image[]) => Float64Image,
  gradients: (g: Float64Image, ...inputs: Float64Image[]) => readonly Float64Image[],
  inputs: readonly Float64Image[],
): number {
  const g = noise(f(...inputs).shape, 99);
  const loss = (moved: readonly Float64Image[]) => f(...moved).data.reduce((sum, y, at) => sum + y * g.data[at], 0);
  const got = gradients(g, ...inputs);
  return Math.max(...inputs.map((input, index) => {
    const expected = zeros(input.shape);
    for (let at = 0; at < input.data.length; at++) {
      const movedLoss = (step: number) => {
        const data = input.data.slice();
        data[at] += step;
        return loss(inputs.map((other, j) => (j === index ? { shape: input.shape, data } : other)));
      };
      expected.data[at] = (movedLoss(STEP) - movedLoss(-STEP)) / (2 * STEP);
    }
    return largestDifference(got[index], expected);
  }));
}

/** max |a − b| / max |b|, infinite where the shapes differ. */
export function largestDifference(a: Float64Image, b: Float64Image): number {
  if (a.shape.join() !== b.shape.join()) return Infinity;
  const largest = b.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.data.reduce((max, value, at) => Math.max(max, Math.abs(value - b.data[at])), 0) / largest;
}
