import { ShapeError } from '../model/ops.ts';
import { expectShape, imageShape, show, zeros, type Float64Image } from './float64Image.ts';
import { addProduct, transposed } from './matrixProduct.ts';

/**
 * y = x W for every token. x [N, H, W, I], weight [I, O] → [N, H, W, O]
 *
 * @throws ShapeError if the weight's rows are not the image's channels
 */
export function linear(x: Float64Image, weight: Float64Image): Float64Image {
  const { batch, h, w, tokens, inputs, outputs } = extents(x, weight);
  const y = zeros([batch, h, w, outputs]);
  const rows = { data: x.data, offset: 0, row: inputs, column: 1 };
  addProduct(y.data, 0, rows, weight.data, 0, tokens, inputs, outputs);
  return y;
}

/** y_to = Σ_i x_ti W_io, so with g = ∂L/∂y: ∂L/∂x_ti = Σ_o g_to W_io = (g Wᵀ)_ti and ∂L/∂W_io = Σ_t x_ti g_to. */
export function linearGradient(
  x: Float64Image, weight: Float64Image, g: Float64Image,
): { x: Float64Image; weight: Float64Image } {
  const { batch, h, w, tokens, inputs, outputs } = extents(x, weight);
  expectShape('linear gradient', 'the gradient of the output', g, [batch, h, w, outputs]);
  const gx = zeros(x.shape);
  const gWeight = zeros(weight.shape);
  const gRows = { data: g.data, offset: 0, row: outputs, column: 1 };
  addProduct(gx.data, 0, gRows, transposed(weight.data, 0, inputs, outputs), 0, tokens, outputs, inputs);
  const xColumns = { data: x.data, offset: 0, row: 1, column: inputs };
  addProduct(gWeight.data, 0, xColumns, g.data, 0, inputs, tokens, outputs);
  return { x: gx, weight: gWeight };
}

function extents(x: Float64Image, weight: Float64Image) {
  const [batch, h, w, inputs] = imageShape('linear', x);
  const [rows, outputs] = weight.shape;
  if (weight.shape.length !== 2 || rows !== inputs || outputs === undefined) {
    const found = `weight has shape ${show(weight.shape)}`;
    throw new ShapeError(`linear: ${found}, expected [${inputs}, O] for x ${show(x.shape)}`);
  }
  return { batch, h, w, tokens: batch * h * w, inputs, outputs };
}
