// Operators on float32 arrays, row-major, channels innermost, with sums in float64. They write every element of their
// outputs.

type ImageShape = readonly [n: number, h: number, w: number, c: number];

/** (rows, columns) → (columns, rows) */
export function transpose(x: Float32Array, rows: number, columns: number, y: Float32Array): void {
  const quads = columns - (columns % 4);
  // Sixteen floats are a cache line: each is written while it is at hand. Four columns at once are 2.5 times as fast.
  for (let start = 0; start < rows; start += 16) {
    const end = Math.min(rows, start + 16);
    for (let column = 0; column < quads; column += 4) {
      for (let row = start, to = column * rows + start; row < end; row++, to++) {
        const at = row * columns + column;
        y[to] = x[at];
        y[to + rows] = x[at + 1];
        y[to + 2 * rows] = x[at + 2];
        y[to + 3 * rows] = x[at + 3];
      }
    }
    for (let column = quads; column < columns; column++) {
      for (let row = start; row < end; row++) y[column * rows + row] = x[row * columns + column];
    }
  }
}

/** Sums over tokens, x [tokens, C] → y [C] */
export function columnSums(x: Float32Array, y: Float32Array): void {
  const c = y.length;
  const sums = new Float64Array(c);
  for (let at = 0; at < x.length; at += c) for (let j = 0; j < c; j++) sums[j] += x[at + j];
  y.set(sums);
}

/** Σ a ⊙ b over tokens, both [tokens, C] → y [C] */
export function columnSumsOfProducts(a: Float32Array, b: Float32Array, y: Float32Array): void {
  const c = y.length;
  const sums = new Float64Array(c);
  for (let at = 0; at < a.length; at += c) for (let j = 0; j < c; j++) sums[j] += a[at + j] * b[at + j];
  y.set(sums);
}

/** A convolution's kernel as its input's gradient takes it: [k, k, I, O] turned by 180°, [k, k, O, I] */
export function turned(
  weight: Float32Array, k: number, inputs: number, outputs: number, y: Float32Array,
): void {
  const size = inputs * outputs;
  for (let tap = 0; tap < k * k; tap++) {
    const from = (k * k - 1 - tap) * size;
    transpose(weight.subarray(from, from + size), inputs, outputs, y.subarray(tap * size, (tap + 1) * size));
  }
}

/** A depth-wise kernel [5, 5, C] turned by 180° */
export function turnedDepthwise(kernel: Float32Array, y: Float32Array): void {
  const channels = kernel.length / 25;
  for (let at = 0; at < kernel.length; at += channels) {
    y.set(kernel.subarray(kernel.length - at - channels, kernel.length - at), at);
  }
}

/**
 * The input of a k × k convolution with zero padding, shifted by each tap: x [N, H, W, I] → [k·k·I, N·H·W], the values
 * that tap and channel meet at each output pixel.
 */
export function shiftedPlanes(x: Float32Array, [n, h, w, c]: ImageShape, k: number, y: Float32Array): void {
  const tokens = n * h * w;
  const radius = (k - 1) / 2;
  const centre = radius * (k + 1) * c * tokens;
  // The unshifted planes first: the others are made from them.
  transpose(x, tokens, c, y.subarray(centre, centre + c * tokens));
  for (let tap = 0; tap < k * k; tap++) {
    const dy = Math.floor(tap / k) - radius;
    const dx = (tap % k) - radius;
    if (dy === 0 && dx === 0) continue;
    const [first, last] = [Math.max(0, -dx), Math.min(w, w - dx)];
    for (let line = 0; line < c * n * h; line++) {
      const row = (line % h) + dy;
      const to = tap * c * tokens + line * w;
      if (row < 0 || row >= h || first >= last) {
        y.fill(0, to, to + w);
        continue;
      }
      const from = centre + (line + dy) * w + dx;
      for (let i = 0; i < first; i++) y[to + i] = 0;
      for (let i = first; i < last; i++) y[to + i] = y[from + i];
      for (let i = last; i < w; i++) y[to + i] = 0;
    }
  }
}

/**
 * The gradient of Omni-Shift's merged kernel: gKernel[i, j, c] = Σ x[n, h + i − 2, w + j − 2, c] · g[n, h, w, c].
 * x, g [N, H, W, C] → gKernel [5, 5, C]
 */
export function omniShiftKernelGradient(
  x: Float32Array, g: Float32Array, [n, h, w, c]: ImageShape, gKernel: Float32Array,
): void {
  const sums = new Float64Array(25 * c);
  const row = w * c;
  for (let line = 0; line < n * h; line++) {
    for (let i = 0; i < 5; i++) {
      const other = (line % h) + i - 2;
      if (other < 0 || other >= h) continue;
      const [gRow, xRow] = [line * row, (line + i - 2) * row];
      for (let channel = 0; channel < c; channel++) {
        // A window of five pixels slides along the row of x.
        let x0 = 0, x1 = 0, x2 = x[xRow + channel], x3 = w > 1 ? x[xRow + c + channel] : 0;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0;
        for (let at = channel; at < row; at += c) {
          const x4 = at + 2 * c < row ? x[xRow + at + 2 * c] : 0;
          const value = g[gRow + at];
          s0 += x0 * value;
          s1 += x1 * value;
          s2 += x2 * value;
          s3 += x3 * value;
          s4 += x4 * value;
          x0 = x1;
          x1 = x2;
          x2 = x3;
          x3 = x4;
        }
        const to = 5 * i * c + channel;
        sums[to] += s0;
        sums[to + c] += s1;
        sums[to + 2 * c] += s2;
        sums[to + 3 * c] += s3;
        sums[to + 4 * c] += s4;
      }
    }
  }
  gKernel.set(sums);
}

/** Of the layer norms, as in the public code. */
const EPSILON = 1e-5;

/** Layer norm over the channels of each token. x [tokens, C], weight [C], bias [C] */
export function layerNorm(x: Float32Array, weight: Float32Array, bias: Float32Array, y: Float32Array): void {
  const c = weight.length;
  for (let at = 0; at < x.length; at += c) {
    let mean = 0;
    for (let j = at; j < at + c; j++) mean += x[j];
    mean /= c;
    let variance = 0;
    for (let j = at; j < at + c; j++) {
      const centred = x[j] - mean;
      variance += centred * centred;
    }
    const scale = 1 / Math.sqrt(variance / c + EPSILON);
    for (let j = 0; j < c; j++) y[at + j] = (x[at + j] - mean) * scale * weight[j] + bias[j];
  }
}

/**
 * With n = (x − mean)·s, s = 1/√(variance + ε) and a = g ⊙ weight: ∂L/∂x = s(a − avg(a) − n avg(a ⊙ n)),
 * ∂L/∂weight = Σ g n and ∂L/∂bias = Σ g over tokens.
 */
export function layerNormGradient(
  x: Float32Array, weight: Float32Array, g: Float32Array, gx: Float32Array, gWeight: Float32Array, gBias: Float32Array,
): void {
  const c = weight.length;
  const [weightSums, biasSums, normal] = [new Float64Array(c), new Float64Array(c), new Float64Array(c)];
  for (let at = 0; at < x.length; at += c) {
    let mean = 0;
    for (let j = at; j < at + c; j++) mean += x[j];
    mean /= c;
    let variance = 0;
    for (let j = 0; j < c; j++) {
      const centred = x[at + j] - mean;
      normal[j] = centred;
      variance += centred * centred;
    }
    const scale = 1 / Math.sqrt(variance / c + EPSILON);
    let sum = 0, sumN = 0;
    for (let j = 0; j < c; j++) {
      const value = normal[j] * scale;
      const gj = g[at + j];
      normal[j] = value;
      biasSums[j] += gj;
      weightSums[j] += gj * value;
      const a = gj * weight[j];
      sum += a;
      sumN += a * value;
    }
    sum /= c;
    sumN /= c;
    for (let j = 0; j < c; j++) gx[at + j] = scale * (g[at + j] * weight[j] - sum - normal[j] * sumN);
  }
  gWeight.set(weightSums);
  gBias.set(biasSums);
}

/** Alpha [4] and the branches [C, k·k] of an Omni-Shift, k of 1, 3 and 5. */
export interface Branches {
  readonly alpha: Float32Array;
  readonly kernels: readonly Float32Array[];
}

/** Tap (2, 2) of the merged kernel. */
const CENTRE = 12;

/** Eq. 11 merged → [5, 5, C]: the identity and smaller branches stand at the centre. */
export function mergeOmniShift({ alpha, kernels }: Branches, merged: Float32Array): void {
  const c = merged.length / 25;
  merged.fill(0);
  merged.fill(alpha[0], CENTRE * c, (CENTRE + 1) * c);
  kernels.forEach((kernel, branch) => {
    const factor = alpha[branch + 1];
    const places = mergedTaps(branch, c);
    for (let tap = 0; tap < places.length; tap++) {
      const to = places[tap];
      for (let j = 0, at = tap; j < c; j++, at += places.length) merged[to + j] += factor * kernel[at];
    }
  });
}

/** The merged kernel is bilinear in alpha and branches. g [5, 5, C] */
export function mergeOmniShiftGradient({ alpha, kernels }: Branches, g: Float32Array, gradient: Branches): void {
  const c = g.length / 25;
  gradient.alpha[0] = g.subarray(CENTRE * c, (CENTRE + 1) * c).reduce((sum, value) => sum + value, 0);
  kernels.forEach((kernel, branch) => {
    const factor = alpha[branch + 1];
    const gKernel = gradient.kernels[branch];
    const places = mergedTaps(branch, c);
    let sum = 0;
    for (let tap = 0; tap < places.length; tap++) {
      const from = places[tap];
      for (let j = 0, at = tap; j < c; j++, at += places.length) {
        sum += g[from + j] * kernel[at];
        gKernel[at] = factor * g[from + j];
      }
    }
    gradient.alpha[branch + 1] = sum;
  });
}

/** Where each tap of the branches 1 × 1, 3 × 3 and 5 × 5 begins in the merged kernel. */
function mergedTaps(branch: number, c: number): number[] {
  const k = 2 * branch + 1;
  const margin = (5 - k) / 2;
  return Array.from({ length: k * k }, (_, tap) => ((Math.floor(tap / k) + margin) * 5 + (tap % k) + margin) * c);
}
