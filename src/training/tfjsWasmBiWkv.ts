import * as reference from '../kernels/biWkv.reference.ts';
import type { Float64Image } from '../kernels/float64Image.ts';
import type { Scan } from '../model/ops.ts';

export interface BiWkvShape {
  /** [N, H, W, C] */
  readonly image: readonly [n: number, h: number, w: number, c: number];
  readonly scan: Scan;
}

export interface BiWkvInputs {
  /** [N, H, W, C] */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** [C], before the division by T */
  readonly decay: Float32Array;
  readonly bonus: Float32Array;
}

/** Channels copied together into planes of their own, in which sums run along memory: half a cache line of float32. */
const BLOCK = 8;

/** Fewer channels are taken where images are so large that their planes would hold more values than this (16 MiB). */
const PLANE_VALUES = 2 ** 21;

/**
 * Bounds of |decay| and |bonus|/T within which float64 holds sums of E = e^{k − max k} without rescaling: over all T
 * tokens they grow or shrink by e^{decay}, the bonus adds its own factor, and the gradient squares both, in a range of
 * e^{±700}. A key that underflows is outweighed wherever the largest stands. Outside, the reference's rescaled sums are
 * used.
 */
const PLAIN_RANGE = 150;

/** Bi-WKV (eq. 8) in float64 from and to float32, y of the keys' shape, for any finite keys, decays and bonuses. */
export function biWkv(inputs: BiWkvInputs, shape: BiWkvShape, y: Float32Array): void {
  if (!isPlain(inputs, shape)) {
    const { key, value, decay, bonus } = asReference(inputs, shape);
    y.set(reference.biWkv(key, value, decay, bonus, shape.scan).data);
    return;
  }
  forEachBlock(inputs, shape, (block) => {
    const exponentials = exponentialsOf(block, inputs.key);
    const values = gather(block, inputs.value, 1);
    for (let j = 0; j < block.width; j++) forwardChannel(block, j, exponentials, values);
    scatter(block, values, y);
  });
}

export interface BiWkvGradients {
  readonly key: Float32Array;
  readonly value: Float32Array;
  readonly decay: Float32Array;
  readonly bonus: Float32Array;
}

/**
 * The gradients of Σ g ⊙ y for all four inputs. With the two-sided sums
 *
 *   S(x)_t = Σ_{i≠t} r^{|t−i|−1} x_i + own x_t,  r = e^{−w/T}, own = e^{u/T},
 *
 * y = S(E v)/S(E). With G = g/S(E), S being symmetric: ∂L/∂v = E S(G), ∂L/∂k = E (v S(G) − S(G y)),
 * ∂L/∂(u/T) = Σ own E G (v − y), ∂L/∂(w/T) = −Σ_t G_t (D(E v)_t − y_t D(E)_t) with D the sums with the further factor
 * |t − i| − 1, for which D ← r (D + S) from one token to the next.
 */
export function biWkvGradient(
  inputs: BiWkvInputs, shape: BiWkvShape, g: Float32Array, gradients: BiWkvGradients,
): void {
  if (!isPlain(inputs, shape)) {
    const { key, value, decay, bonus } = asReference(inputs, shape);
    const result = reference.biWkvGradient(key, value, decay, bonus, shape.scan, wide(key.shape, g));
    for (const name of ['key', 'value', 'decay', 'bonus'] as const) gradients[name].set(result[name].data);
    return;
  }
  const [, h, w, c] = shape.image;
  const sums = { decay: new Float64Array(c), bonus: new Float64Array(c) };
  forEachBlock(inputs, shape, (block) => {
    const planes = {
      exponentials: exponentialsOf(block, inputs.key),
      values: gather(block, inputs.value, 1),
      gradients: gather(block, g, 2),
    };
    for (let j = 0; j < block.width; j++) {
      const { decay, bonus } = backwardChannel(block, j, planes);
      sums.decay[block.channel + j] += decay / (h * w);
      sums.bonus[block.channel + j] += bonus / (h * w);
    }
    scatter(block, planes.exponentials, gradients.key);
    scatter(block, planes.values, gradients.value);
  });
  gradients.decay.set(sums.decay);
  gradients.bonus.set(sums.bonus);
}

function isPlain({ decay, bonus }: BiWkvInputs, { image: [, h, w] }: BiWkvShape): boolean {
  return decay.every((value) => Math.abs(value) <= PLAIN_RANGE)
    && bonus.every((value) => Math.abs(value) <= PLAIN_RANGE * h * w);
}

function asReference({ key, value, decay, bonus }: BiWkvInputs, { image }: BiWkvShape) {
  const c = [image[3]];
  return { key: wide(image, key), value: wide(image, value), decay: wide(c, decay), bonus: wide(c, bonus) };
}

const wide = (shape: readonly number[], data: Float32Array): Float64Image => ({ shape, data: Float64Array.from(data) });

/** Some channels of one image. */
interface Block {
  /** Where each token's channels begin in the image's arrays, in the order of the scan. */
  readonly places: Uint32Array;
  /** Added to a place: the image and the block's first channel. */
  readonly start: number;
  readonly channel: number;
  readonly width: number;
  /** r = e^{−w/T} and e^{u/T} of each channel of the block. */
  readonly ratio: Float64Array;
  readonly own: Float64Array;
}

function forEachBlock(
  { decay, bonus }: BiWkvInputs, { image: [n, h, w, c], scan }: BiWkvShape, visit: (block: Block) => void,
): void {
  const tokens = h * w;
  const most = Math.min(BLOCK, Math.max(1, Math.floor(PLANE_VALUES / tokens)));
  const places = new Uint32Array(tokens);
  for (let t = 0; t < tokens; t++) places[t] = c * (scan === 'rows' ? t : (t % h) * w + Math.floor(t / h));
  for (let at = 0; at < n; at++) {
    for (let channel = 0, width; channel < c; channel += width) {
      width = Math.min(most, c - channel);
      const ratio = Float64Array.from({ length: width }, (_, j) => Math.exp(-decay[channel + j] / tokens));
      const own = Float64Array.from({ length: width }, (_, j) => Math.exp(bonus[channel + j] / tokens));
      visit({ places, start: at * tokens * c + channel, channel, width, ratio, own });
    }
  }
}

const buffers: Float64Array[] = [];

/** Scratch of at least this length, the same array again; what it holds is left from before. */
function scratch(name: number, length: number): Float64Array {
  if (!(buffers[name]?.length >= length)) buffers[name] = new Float64Array(length);
  return buffers[name];
}

/** From one plane to the next: a power of two would put the same token of all planes into one set of the cache. */
const strideOf = ({ places }: Block) => places.length + 8;

/** A block of x [N, H, W, C] as planes [width, T] in the order of the scan. */
function gather(block: Block, x: Float32Array, name: number): Float64Array {
  const { places, start, width } = block;
  const stride = strideOf(block);
  const planes = scratch(name, stride * width);
  for (let t = 0; t < places.length; t++) {
    const place = start + places[t];
    let j = 0, to = t;
    // Four at once are twice as fast; the network's widths are multiples of four.
    for (; j + 4 <= width; j += 4, to += 4 * stride) {
      planes[to] = x[place + j];
      planes[to + stride] = x[place + j + 1];
      planes[to + 2 * stride] = x[place + j + 2];
      planes[to + 3 * stride] = x[place + j + 3];
    }
    for (; j < width; j++, to += stride) planes[to] = x[place + j];
  }
  return planes;
}

/** The inverse of `gather`. */
function scatter(block: Block, planes: Float64Array, x: Float32Array): void {
  const { places, start, width } = block;
  const stride = strideOf(block);
  for (let t = 0; t < places.length; t++) {
    const place = start + places[t];
    let j = 0, from = t;
    for (; j + 4 <= width; j += 4, from += 4 * stride) {
      x[place + j] = planes[from];
      x[place + j + 1] = planes[from + stride];
      x[place + j + 2] = planes[from + 2 * stride];
      x[place + j + 3] = planes[from + 3 * stride];
    }
    for (; j < width; j++, from += stride) x[place + j] = planes[from];
  }
}

/** Planes of E = e^{k − max k}, the maximum over each channel's tokens. */
function exponentialsOf(block: Block, key: Float32Array): Float64Array {
  const tokens = block.places.length;
  const planes = gather(block, key, 0);
  for (let j = 0; j < block.width; j++) {
    const at = j * strideOf(block);
    let top = -Infinity;
    for (let t = at; t < at + tokens; t++) if (planes[t] > top) top = planes[t];
    for (let t = at; t < at + tokens; t++) planes[t] = exponential(top - planes[t]);
  }
  return planes;
}

const WHOLE = Float64Array.from({ length: 746 }, (_, i) => Math.exp(-i));
const FINE = Float64Array.from({ length: 1024 }, (_, i) => Math.exp(-i / 1024));

/** e^{−x} for x ≥ 0, to 5e-14: twice as fast as Math.exp. The series' next term is d⁴/24 with |d| < 1/1024. */
function exponential(x: number): number {
  if (!(x < 745)) return x - x; // 0, or NaN for what is not finite
  const whole = x | 0;
  const part = (x - whole) * 1024;
  const fine = part | 0;
  const d = (fine - part) / 1024;
  return WHOLE[whole] * FINE[fine] * (1 + d * (1 + d * (0.5 + d / 6)));
}

/** Turns a plane of values into one of y: sums over earlier tokens in a first sweep, over later ones in a second. */
function forwardChannel(block: Block, j: number, exponentials: Float64Array, values: Float64Array): void {
  const tokens = block.places.length;
  const [beforeA, beforeB] = [scratch(3, tokens), scratch(4, tokens)];
  const [r, self, base] = [block.ratio[j], block.own[j], j * strideOf(block)];
  let a = 0, b = 0;
  for (let t = 0; t < tokens; t++) {
    const e = exponentials[base + t];
    beforeA[t] = a;
    beforeB[t] = b;
    a = r * a + e * values[base + t];
    b = r * b + e;
  }
  a = b = 0;
  for (let t = tokens - 1; t >= 0; t--) {
    const e = exponentials[base + t];
    const ev = e * values[base + t];
    values[base + t] = (beforeA[t] + a + self * ev) / (beforeB[t] + b + self * e);
    a = r * a + ev;
    b = r * b + e;
  }
}

interface Planes {
  readonly exponentials: Float64Array;
  readonly values: Float64Array;
  readonly gradients: Float64Array;
}

/**
 * Turns planes of E and v into those of the keys' and values' gradients. Three sweeps: sums over later tokens; sums
 * over earlier ones, with y and G and their share of w's gradient; sums over later ones again, for the rest.
 *
 * @returns the gradients for w/T and u/T
 */
function backwardChannel(
  block: Block, j: number, { exponentials, values, gradients }: Planes,
): { decay: number; bonus: number } {
  const tokens = block.places.length;
  const [r, self, base] = [block.ratio[j], block.own[j], j * strideOf(block)];
  // Sums over later tokens in the first sweep; from the second on G y and G.
  const [afterAOrGy, afterBOrG, beforeG, beforeGy] = [3, 4, 5, 6].map((name) => scratch(name, tokens));
  let a = 0, b = 0, da = 0, db = 0, sg = 0, sgy = 0, decay = 0, bonus = 0;
  for (let t = tokens - 1; t >= 0; t--) {
    const e = exponentials[base + t];
    afterAOrGy[t] = a;
    afterBOrG[t] = b;
    a = r * a + e * values[base + t];
    b = r * b + e;
  }
  a = b = 0;
  for (let t = 0; t < tokens; t++) {
    const e = exponentials[base + t];
    const ev = e * values[base + t];
    const inverse = 1 / (b + afterBOrG[t] + self * e);
    const g = gradients[base + t] * inverse;
    const gy = g * (a + afterAOrGy[t] + self * ev) * inverse;
    decay += gy * db - g * da;
    bonus += self * (g * ev - gy * e);
    beforeG[t] = sg;
    beforeGy[t] = sgy;
    afterBOrG[t] = g;
    afterAOrGy[t] = gy;
    sg = r * sg + g;
    sgy = r * sgy + gy;
    da = r * (da + a);
    db = r * (db + b);
    a = r * a + ev;
    b = r * b + e;
  }
  a = b = da = db = sg = sgy = 0;
  for (let t = tokens - 1; t >= 0; t--) {
    const e = exponentials[base + t];
    const v = values[base + t];
    const g = afterBOrG[t];
    const gy = afterAOrGy[t];
    decay += gy * db - g * da;
    const gValue = e * (beforeG[t] + sg + self * g);
    values[base + t] = gValue;
    exponentials[base + t] = v * gValue - e * (beforeGy[t] + sgy + self * gy);
    sg = r * sg + g;
    sgy = r * sgy + gy;
    da = r * (da + a);
    db = r * (db + b);
    a = r * a + e * v;
    b = r * b + e;
  }
  return { decay, bonus };
}
