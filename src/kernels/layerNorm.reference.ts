import { expectShape, imageShape, zeros, type Float64Image } from './float64Image.ts';

/** Added to the variance, as in the public code. */
const EPSILON = 1e-5;

/**
 * Layer norm over the channels of each token: y = weight ⊙ (x − mean)/√(variance + 1e-5) + bias, biased variance.
 * x [N, H, W, C], weight [C], bias [C] → [N, H, W, C]
 *
 * @throws ShapeError if weight or bias is not [C]
 */
export function layerNorm(x: Float64Image, weight: Float64Image, bias: Float64Image): Float64Image {
  const c = channels(x, weight, bias);
  const y = zeros(x.shape);
  for (let at = 0; at < x.data.length; at += c) {
    const { mean, scale } = moments(x.data, at, c);
    for (let j = 0; j < c; j++) y.data[at + j] = weight.data[j] * (x.data[at + j] - mean) * scale + bias.data[j];
  }
  return y;
}

/**
 * With n_j = (x_j − mean)·s, s = 1/√(variance + ε), y_j = weight_j n_j + bias_j and g = ∂L/∂y: ∂L/∂bias = Σ g and
 * ∂L/∂weight = Σ g n over tokens. With a_j = g_j weight_j = ∂L/∂n_j, and since ∂mean/∂x_j = 1/C and
 * ∂s/∂x_j = −s² n_j/C, ∂n_i/∂x_j = s(δ_ij − 1/C − n_i n_j/C), so ∂L/∂x_j = s(a_j − avg(a) − n_j avg(a ⊙ n)).
 */
export function layerNormGradient(
  x: Float64Image, weight: Float64Image, bias: Float64Image, g: Float64Image,
): { x: Float64Image; weight: Float64Image; bias: Float64Image } {
  const c = channels(x, weight, bias);
  expectShape('layerNorm gradient', 'the gradient of the output', g, x.shape);
  const gx = zeros(x.shape);
  const gWeight = zeros([c]);
  const gBias = zeros([c]);
  for (let at = 0; at < x.data.length; at += c) {
    const { mean, scale } = moments(x.data, at, c);
    let sum = 0;
    let sumN = 0;
    for (let j = 0; j < c; j++) {
      const n = (x.data[at + j] - mean) * scale;
      const a = g.data[at + j] * weight.data[j];
      gBias.data[j] += g.data[at + j];
      gWeight.data[j] += g.data[at + j] * n;
      sum += a;
      sumN += a * n;
    }
    for (let j = 0; j < c; j++) {
      const n = (x.data[at + j] - mean) * scale;
      gx.data[at + j] = scale * (g.data[at + j] * weight.data[j] - sum / c - (n * sumN) / c);
    }
  }
  return { x: gx, weight: gWeight, bias: gBias };
}

/** Mean and 1/√(variance + ε) of the c values at `at`. */
function moments(data: Float64Array, at: number, c: number): { mean: number; scale: number } {
  let mean = 0;
  for (let j = 0; j < c; j++) mean += data[at + j];
  mean /= c;
  let variance = 0;
  for (let j = 0; j < c; j++) variance += (data[at + j] - mean) ** 2;
  return { mean, scale: 1 / Math.sqrt(variance / c + EPSILON) };
}

function channels(x: Float64Image, weight: Float64Image, bias: Float64Image): number {
  const [, , , c] = imageShape('layerNorm', x);
  expectShape('layerNorm', 'weight', weight, [c]);
  expectShape('layerNorm', 'bias', bias, [c]);
  return c;
}
