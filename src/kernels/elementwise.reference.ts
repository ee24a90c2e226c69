import { ShapeError } from '../model/ops.ts';
import { expectShape, imageShape, sameShape, show, zeros, type Float64Image } from './float64Image.ts';

/** a + b, same shapes; its gradient goes to both unchanged. @throws ShapeError if the shapes differ */
export function add(a: Float64Image, b: Float64Image): Float64Image {
  expectShape('add', 'the second argument', b, a.shape);
  const y = zeros(a.shape);
  for (let at = 0; at < y.data.length; at++) y.data[at] = a.data[at] + b.data[at];
  return y;
}

/** a ⊙ b, b of the shape of a, or [C] for the same factor in every token. @throws ShapeError if b is neither */
export function mul(a: Float64Image, b: Float64Image): Float64Image {
  const period = factorPeriod(a, b);
  const y = zeros(a.shape);
  for (let token = 0; token < y.data.length; token += period) {
    for (let j = 0; j < period; j++) y.data[token + j] = a.data[token + j] * b.data[j];
  }
  return y;
}

/** ∂L/∂a = g ⊙ b and ∂L/∂b = g ⊙ a, the latter summed over tokens where b is [C]. */
export function mulGradient(
  a: Float64Image, b: Float64Image, g: Float64Image,
): { a: Float64Image; b: Float64Image } {
  const period = factorPeriod(a, b);
  expectShape('mul gradient', 'the gradient of the output', g, a.shape);
  const gb = zeros(b.shape);
  for (let token = 0; token < a.data.length; token += period) {
    for (let j = 0; j < period; j++) gb.data[j] += g.data[token + j] * a.data[token + j];
  }
  return { a: mul(g, b), b: gb };
}

/** 1/(1 + e^−x); for x below −709, e^−x overflows to infinity, which gives the right 0. */
export function sigmoid(x: Float64Image): Float64Image {
  const y = zeros(x.shape);
  for (let at = 0; at < y.data.length; at++) y.data[at] = 1 / (1 + Math.exp(-x.data[at]));
  return y;
}

/** For s = sigmoid(x), ds/dx = e^−x/(1 + e^−x)² = s(1 − s): ∂L/∂x = g ⊙ s ⊙ (1 − s). */
export function sigmoidGradient(x: Float64Image, g: Float64Image): Float64Image {
  expectShape('sigmoid gradient', 'the gradient of the output', g, x.shape);
  const s = sigmoid(x).data;
  const gx = zeros(x.shape);
  for (let at = 0; at < s.length; at++) gx.data[at] = g.data[at] * s[at] * (1 - s[at]);
  return gx;
}

/** relu(x)² */
export function squaredRelu(x: Float64Image): Float64Image {
  const y = zeros(x.shape);
  for (let at = 0; at < y.data.length; at++) y.data[at] = Math.max(0, x.data[at]) ** 2;
  return y;
}

/** d relu(x)²/dx = 2 relu(x): ∂L/∂x = 2 g ⊙ relu(x). */
export function squaredReluGradient(x: Float64Image, g: Float64Image): Float64Image {
  expectShape('squaredRelu gradient', 'the gradient of the output', g, x.shape);
  const gx = zeros(x.shape);
  for (let at = 0; at < gx.data.length; at++) gx.data[at] = 2 * g.data[at] * Math.max(0, x.data[at]);
  return gx;
}

/** After how many values of a the factors of b repeat. */
function factorPeriod(a: Float64Image, b: Float64Image): number {
  if (sameShape(a.shape, b.shape)) return Math.max(1, a.data.length);
  const [, , , c] = imageShape('mul', a);
  if (!sameShape(b.shape, [c])) {
    throw new ShapeError(`mul: the second argument has shape ${show(b.shape)}, expected ${show(a.shape)} or [${c}]`);
  }
  return c;
}
