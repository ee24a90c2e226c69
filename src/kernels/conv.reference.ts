import { ShapeError } from '../model/ops.ts';
import { expectShape, imageShape, show, zeros, type Float64Image } from './float64Image.ts';
import { addProduct, transposed } from './matrixProduct.ts';

/**
 * Convolution 3×3 or 1×1, stride 1, zero padding:
 * y[n, h, w, o] = bias[o] + Σ_{i, j, c} x[n, h + i − r, w + j − r, c] · weight[i, j, c, o] with r = (k − 1)/2.
 *
 * @param x [N, H, W, I]
 * @param weight [k, k, I, O]
 * @param bias [O], or null for none
 * @returns [N, H, W, O]
 * @throws ShapeError if the weight or bias does not fit
 */
export function conv(x: Float64Image, weight: Float64Image, bias: Float64Image | null): Float64Image {
  const { n, h, w, inputs, outputs } = extents(x, weight, bias);
  const y = zeros([n, h, w, outputs]);
  if (bias) for (let at = 0; at < y.data.length; at += outputs) y.data.set(bias.data, at);
  forEachTapRow(x, weight, (tap, xAt, yAt, count) => {
    const row = { data: x.data, offset: xAt * inputs, row: inputs, column: 1 };
    addProduct(y.data, yAt * outputs, row, weight.data, tap * inputs * outputs, count, inputs, outputs);
  });
  return y;
}

/**
 * The output is a sum over taps of shifted linear maps y_q += x_p W_tap, q the output pixel and p the input pixel that
 * the tap joins. So with g = ∂L/∂y: ∂L/∂x_p += g_q W_tapᵀ, ∂L/∂W_tap += x_pᵀ g_q, ∂L/∂bias = Σ_q g_q.
 */
export function convGradient(
  x: Float64Image, weight: Float64Image, bias: Float64Image | null, g: Float64Image,
): { x: Float64Image; weight: Float64Image; bias: Float64Image | null } {
  const { n, h, w, inputs, outputs } = extents(x, weight, bias);
  expectShape('conv gradient', 'the gradient of the output', g, [n, h, w, outputs]);
  const gx = zeros(x.shape);
  const gWeight = zeros(weight.shape);
  const taps = weight.shape[0] * weight.shape[1];
  const turned = Array.from({ length: taps }, (_, tap) => {
    return transposed(weight.data, tap * inputs * outputs, inputs, outputs);
  });
  forEachTapRow(x, weight, (tap, xAt, yAt, count) => {
    const gRow = { data: g.data, offset: yAt * outputs, row: outputs, column: 1 };
    addProduct(gx.data, xAt * inputs, gRow, turned[tap], 0, count, outputs, inputs);
    const xColumns = { data: x.data, offset: xAt * inputs, row: 1, column: inputs };
    const at = tap * inputs * outputs;
    addProduct(gWeight.data, at, xColumns, g.data, yAt * outputs, inputs, count, outputs);
  });
  const gBias = bias && zeros(bias.shape);
  if (gBias) for (let at = 0; at < g.data.length; at++) gBias.data[at % outputs] += g.data[at];
  return { x: gx, weight: gWeight, bias: gBias };
}

/** Visits, tap by tap, the runs of pixels in a row that a tap joins: input pixels from `xAt` to outputs from `yAt`. */
function forEachTapRow(
  x: Float64Image, weight: Float64Image, visit: (tap: number, xAt: number, yAt: number, count: number) => void,
): void {
  const [n, h, w] = imageShape('conv', x);
  const k = weight.shape[0];
  const radius = (k - 1) / 2;
  for (let tap = 0; tap < k * k; tap++) {
    const dy = Math.floor(tap / k) - radius;
    const dx = (tap % k) - radius;
    const count = w - Math.abs(dx);
    if (count <= 0) continue;
    for (let image = 0; image < n; image++) {
      for (let row = Math.max(0, -dy); row < Math.min(h, h - dy); row++) {
        const at = (image * h + row) * w;
        visit(tap, at + dy * w + Math.max(0, dx), at + Math.max(0, -dx), count);
      }
    }
  }
}

function extents(x: Float64Image, weight: Float64Image, bias: Float64Image | null) {
  const [n, h, w, inputs] = imageShape('conv', x);
  const [k, k2, channels, outputs] = weight.shape;
  if (weight.shape.length !== 4 || k !== k2 || (k !== 1 && k !== 3) || channels !== inputs) {
    const found = `weight has shape ${show(weight.shape)}`;
    const expected = `[3, 3, ${inputs}, O] or [1, 1, ${inputs}, O]`;
    throw new ShapeError(`conv: ${found}, expected ${expected} for x ${show(x.shape)}`);
  }
  if (bias) expectShape('conv', 'bias', bias, [outputs]);
  return { n, h, w, inputs, outputs };
}
