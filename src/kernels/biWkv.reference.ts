import type { Scan } from '../model/ops.ts';
import { expectShape, imageShape, zeros, type Float64Image } from './float64Image.ts';

/**
 * Bi-WKV, eq. 8, per channel over the T = H·W tokens of an image taken row by row or column by column, with
 * w = decay/T and u = bonus/T:
 *
 *           Σ_{i≠t} e^{k_i − (|t−i|−1)w} v_i + e^{u + k_t} v_t
 *   wkv_t = ──────────────────────────────────────────────────
 *           Σ_{i≠t} e^{k_i − (|t−i|−1)w}     + e^{u + k_t}
 *
 * in O(T): the sums over i < t and over i > t are each carried from their own end (see `oneSidedSums`).
 *
 * @param key [N, H, W, C]
 * @param value [N, H, W, C]
 * @param decay [C], before the division by T
 * @param bonus [C], before the division by T
 * @returns [N, H, W, C]
 * @throws ShapeError if the shapes do not fit
 */
export function biWkv(
  key: Float64Image, value: Float64Image, decay: Float64Image, bonus: Float64Image, scan: Scan,
): Float64Image {
  const y = zeros(key.shape);
  forEachSequence(key, value, decay, bonus, scan, (places, channel) => {
    const sequence = readSequence(key, value, decay, bonus, places, channel);
    scatter(forward(sequence).y, y, places);
  });
  return y;
}

/**
 * With l_t the log of the denominator, p_ti = e^{k_i − (|t−i|−1)w − l_t}, p_tt = e^{u + k_t − l_t}, y_t = Σ_i p_ti v_i
 * and g = ∂L/∂y:
 *
 *   ∂L/∂v_i = Σ_t g_t p_ti
 *   ∂L/∂k_i = Σ_t g_t p_ti (v_i − y_t) = v_i ∂L/∂v_i − Σ_t g_t y_t p_ti
 *   ∂L/∂u   = Σ_t g_t p_tt (v_t − y_t)
 *   ∂L/∂w   = −Σ_t g_t Σ_{i≠t} (|t−i|−1) p_ti (v_i − y_t)
 *
 * The sums over t in the first two are the forward's own two-sided sums, the distance being symmetric, with −l in the
 * place of the keys and g and g·y in the place of the values. The last needs the forward's sums with the distance as a
 * further factor, which obey the recurrence got by differentiating theirs. Decay and bonus enter as decay/T and bonus/T
 * and are shared by the batch.
 */
export function biWkvGradient(
  key: Float64Image, value: Float64Image, decay: Float64Image, bonus: Float64Image, scan: Scan, g: Float64Image,
): { key: Float64Image; value: Float64Image; decay: Float64Image; bonus: Float64Image } {
  expectShape('biWkv gradient', 'the gradient of the output', g, key.shape);
  const gradient = {
    key: zeros(key.shape), value: zeros(key.shape), decay: zeros(decay.shape), bonus: zeros(bonus.shape),
  };
  forEachSequence(key, value, decay, bonus, scan, (places, channel) => {
    const sequence = readSequence(key, value, decay, bonus, places, channel);
    const { gk, gv, gw, gu } = backward(sequence, gather(g, places));
    scatter(gk, gradient.key, places);
    scatter(gv, gradient.value, places);
    gradient.decay.data[channel] += gw / places.pixels.length;
    gradient.bonus.data[channel] += gu / places.pixels.length;
  });
  return gradient;
}

/** The tokens of one image and channel in the order of the scan, with w and u as they stand in eq. 8. */
interface Sequence {
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly w: number;
  readonly u: number;
}

interface Forward {
  readonly y: Float64Array;
  /** Log of the denominator. */
  readonly l: Float64Array;
  readonly before: Sums;
  readonly after: Sums;
}

function forward({ k, v, w, u }: Sequence): Forward {
  const length = k.length;
  const ones = new Float64Array(length).fill(1);
  const before = oneSidedSums(k, v, ones, w, 1);
  const after = oneSidedSums(k, v, ones, w, -1);
  const y = new Float64Array(length);
  const l = new Float64Array(length);
  for (let t = 0; t < length; t++) {
    const top = Math.max(before.scale[t], after.scale[t], u + k[t]);
    const fromBefore = Math.exp(before.scale[t] - top);
    const fromAfter = Math.exp(after.scale[t] - top);
    const self = Math.exp(u + k[t] - top);
    const denominator = fromBefore * before.b[t] + fromAfter * after.b[t] + self;
    y[t] = (fromBefore * before.a[t] + fromAfter * after.a[t] + self * v[t]) / denominator;
    l[t] = top + Math.log(denominator);
  }
  return { y, l, before, after };
}

function backward(sequence: Sequence, g: Float64Array): { gk: Float64Array; gv: Float64Array; gw: number; gu: number } {
  const { k, v, w, u } = sequence;
  const length = k.length;
  const { y, l, before, after } = forward(sequence);
  const gy = g.map((value, t) => value * y[t]);
  const minusL = l.map((value) => -value);
  const gBefore = oneSidedSums(minusL, g, gy, w, 1);
  const gAfter = oneSidedSums(minusL, g, gy, w, -1);
  const gk = new Float64Array(length);
  const gv = new Float64Array(length);
  let gw = 0;
  let gu = 0;
  for (let t = 0; t < length; t++) {
    const self = Math.exp(u + k[t] - l[t]);
    gu += g[t] * self * (v[t] - y[t]);
    gw -= g[t] * Math.exp(before.scale[t] - l[t]) * (before.distanceA[t] - y[t] * before.distanceB[t]);
    gw -= g[t] * Math.exp(after.scale[t] - l[t]) * (after.distanceA[t] - y[t] * after.distanceB[t]);
    const fromBefore = Math.exp(k[t] + gBefore.scale[t]);
    const fromAfter = Math.exp(k[t] + gAfter.scale[t]);
    gv[t] = fromBefore * gBefore.a[t] + fromAfter * gAfter.a[t] + self * g[t];
    gk[t] = v[t] * gv[t] - (fromBefore * gBefore.b[t] + fromAfter * gAfter.b[t] + self * gy[t]);
  }
  return { gk, gv, gw, gu };
}

/** Sums at each token t, to be multiplied by e^scale_t. */
interface Sums {
  readonly scale: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** The sums for a and b with each term multiplied by its distance d. */
  readonly distanceA: Float64Array;
  readonly distanceB: Float64Array;
}

/**
 * A_t = Σ_i e^{logWeight_i − d·w} a_i over the tokens i before t (step 1) or after t (step −1), d = |t−i| − 1, the same
 * for b, and the sums with the further factor d. From one token to the next, d grows by one for every term and the
 * token passed joins with d = 0:
 *
 *   A ← e^{−w} A + e^{logWeight_t} a_t      dA ← e^{−w} (dA + A)
 *
 * All are held relative to e^scale, the largest term so far, so that nothing overflows whatever key, decay and bonus.
 */
function oneSidedSums(logWeight: Float64Array, a: Float64Array, b: Float64Array, w: number, step: 1 | -1): Sums {
  const length = logWeight.length;
  const empty = () => new Float64Array(length);
  const out = { scale: empty(), a: empty(), b: empty(), distanceA: empty(), distanceB: empty() };
  let scale = -Infinity;
  let sumA = 0, sumB = 0, distanceA = 0, distanceB = 0;
  for (let count = 0, t = step === 1 ? 0 : length - 1; count < length; count++, t += step) {
    out.scale[t] = scale;
    out.a[t] = sumA;
    out.b[t] = sumB;
    out.distanceA[t] = distanceA;
    out.distanceB[t] = distanceB;
    const lead = scale - w - logWeight[t];
    const keep = lead > 0 ? 1 : Math.exp(lead);
    const join = lead > 0 ? Math.exp(-lead) : 1;
    distanceA = keep * (distanceA + sumA);
    distanceB = keep * (distanceB + sumB);
    sumA = keep * sumA + join * a[t];
    sumB = keep * sumB + join * b[t];
    scale = Math.max(scale - w, logWeight[t]);
  }
  return out;
}

/** Where the tokens of one image and channel stand in the flat arrays: `pixels[t]·stride + start`. */
interface Places {
  readonly pixels: Uint32Array;
  readonly stride: number;
  readonly start: number;
}

/** Visits each image and channel, with the places of its tokens in the order of the scan. */
function forEachSequence(
  key: Float64Image, value: Float64Image, decay: Float64Image, bonus: Float64Image, scan: Scan,
  visit: (places: Places, channel: number) => void,
): void {
  const [n, h, w, c] = imageShape('biWkv', key);
  expectShape('biWkv', 'value', value, key.shape);
  expectShape('biWkv', 'decay', decay, [c]);
  expectShape('biWkv', 'bonus', bonus, [c]);
  const pixels = new Uint32Array(h * w);
  for (let t = 0; t < pixels.length; t++) pixels[t] = scan === 'rows' ? t : (t % h) * w + Math.floor(t / h);
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      visit({ pixels, stride: c, start: image * h * w * c + channel }, channel);
    }
  }
}

function readSequence(
  key: Float64Image, value: Float64Image, decay: Float64Image, bonus: Float64Image, places: Places, channel: number,
): Sequence {
  const tokens = places.pixels.length;
  const w = decay.data[channel] / tokens;
  const u = bonus.data[channel] / tokens;
  return { k: gather(key, places), v: gather(value, places), w, u };
}

function gather(x: Float64Image, { pixels, stride, start }: Places): Float64Array {
  const values = new Float64Array(pixels.length);
  for (let t = 0; t < pixels.length; t++) values[t] = x.data[pixels[t] * stride + start];
  return values;
}

function scatter(values: Float64Array, x: Float64Image, { pixels, stride, start }: Places): void {
  for (let t = 0; t < pixels.length; t++) x.data[pixels[t] * stride + start] = values[t];
}
