import { expectShape, imageShape, zeros, type Float64Image } from './float64Image.ts';

/** Width of the merged kernel. */
const K = 5;

/**
 * Omni-Shift (eq. 11) as one merged depth-wise 5×5 convolution, zero padding:
 * y[n, h, w, c] = Σ_{i, j} x[n, h + i − 2, w + j − 2, c] · kernel[i, j, c]. x [N, H, W, C], kernel [5, 5, C]
 *
 * @throws ShapeError if the kernel is not [5, 5, C]
 */
export function omniShift(x: Float64Image, kernel: Float64Image): Float64Image {
  const y = zeros(x.shape);
  forEachTapRow(x, kernel, (tapAt, xAt, yAt, count, c) => {
    for (let pixel = 0; pixel < count; pixel++) {
      const from = xAt + pixel * c;
      const to = yAt + pixel * c;
      for (let j = 0; j < c; j++) y.data[to + j] += x.data[from + j] * kernel.data[tapAt + j];
    }
  });
  return y;
}

/** Each tap adds y_q += x_p ⊙ w_tap; so with g = ∂L/∂y: ∂L/∂x_p += g_q ⊙ w_tap and ∂L/∂w_tap += x_p ⊙ g_q. */
export function omniShiftGradient(
  x: Float64Image, kernel: Float64Image, g: Float64Image,
): { x: Float64Image; kernel: Float64Image } {
  expectShape('omniShift gradient', 'the gradient of the output', g, x.shape);
  const gx = zeros(x.shape);
  const gKernel = zeros(kernel.shape);
  forEachTapRow(x, kernel, (tapAt, xAt, yAt, count, c) => {
    for (let pixel = 0; pixel < count; pixel++) {
      const from = xAt + pixel * c;
      const to = yAt + pixel * c;
      for (let j = 0; j < c; j++) {
        gx.data[from + j] += g.data[to + j] * kernel.data[tapAt + j];
        gKernel.data[tapAt + j] += x.data[from + j] * g.data[to + j];
      }
    }
  });
  return { x: gx, kernel: gKernel };
}

/** Visits, tap by tap, the runs of pixels in a row that a tap joins, as offsets into the flat arrays. */
function forEachTapRow(
  x: Float64Image, kernel: Float64Image,
  visit: (tapAt: number, xAt: number, yAt: number, count: number, c: number) => void,
): void {
  const [n, h, w, c] = imageShape('omniShift', x);
  expectShape('omniShift', 'kernel', kernel, [K, K, c]);
  const radius = (K - 1) / 2;
  for (let image = 0; image < n; image++) {
    for (let row = 0; row < h; row++) {
      const at = (image * h + row) * w;
      for (let tap = 0; tap < K * K; tap++) {
        const dy = Math.floor(tap / K) - radius;
        const dx = (tap % K) - radius;
        const count = w - Math.abs(dx);
        if (row + dy < 0 || row + dy >= h || count <= 0) continue;
        visit(tap * c, (at + dy * w + Math.max(0, dx)) * c, (at + Math.max(0, -dx)) * c, count, c);
      }
    }
  }
}
