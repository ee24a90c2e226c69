const RADIUS = 5;
const SIGMA = 1.5;

/** The 11 weights of the Gaussian window along one axis; they sum to 1. */
const WINDOW = gaussian();

/**
 * Local structural similarity (Wang et al. 2004) of two images [height, width] in float64: an 11×11 Gaussian window of
 * σ 1.5, zeros beyond the edges, C1 = (0.01 · dataRange)², C2 = (0.03 · dataRange)², biased variances. dataRange > 0.
 */
export function ssimOf(
  a: Float64Array,
  b: Float64Array,
  width: number,
  height: number,
  dataRange: number,
): Float64Array {
  const c1 = (0.01 * dataRange) ** 2;
  const c2 = (0.03 * dataRange) ** 2;
  const smooth = (image: Float64Array) => blur(image, width, height);
  const meanA = smooth(a);
  const meanB = smooth(b);
  const squareA = smooth(a.map((value) => value * value));
  const squareB = smooth(b.map((value) => value * value));
  const product = smooth(a.map((value, i) => value * b[i]!));
  return meanA.map((ma, i) => {
    const mb = meanB[i]!;
    const varianceA = squareA[i]! - ma * ma;
    const varianceB = squareB[i]! - mb * mb;
    const covariance = product[i]! - ma * mb;
    const luminance = (2 * ma * mb + c1) / (ma * ma + mb * mb + c1);
    return luminance * ((2 * covariance + c2) / (varianceA + varianceB + c2));
  });
}

/** Rows, then columns. */
function blur(image: Float64Array, width: number, height: number): Float64Array {
  const across = new Float64Array(image.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      const last = Math.min(RADIUS, width - 1 - x);
      for (let k = Math.max(-RADIUS, -x); k <= last; k++) sum += WINDOW[k + RADIUS]! * image[y * width + x + k]!;
      across[y * width + x] = sum;
    }
  }
  const out = new Float64Array(image.length);
  for (let y = 0; y < height; y++) {
    const last = Math.min(RADIUS, height - 1 - y);
    for (let k = Math.max(-RADIUS, -y); k <= last; k++) {
      const weight = WINDOW[k + RADIUS]!;
      for (let x = 0, to = y * width, from = (y + k) * width; x < width; x++, to++, from++) {
        out[to]! += weight * across[from]!;
      }
    }
  }
  return out;
}

function gaussian(): Float64Array {
  const weights = Float64Array.from({ length: 2 * RADIUS + 1 }, (_, i) =>
    Math.exp(-((i - RADIUS) ** 2) / (2 * SIGMA * SIGMA)),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
