import { madd, sigmoid } from './arithmetic';

// Operators on tokens, one after another in memory, each of `channels` floats rounded up to a multiple of four; the
// floats beyond are zeros. `bytes` is a token's length.

/** Of the layer norms, as in the public code. */
const EPSILON: f32 = 1e-5;

@inline
function sumOf(v: v128): f32 {
  const pairs = f32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Layer norm over channels. `mask` keeps the true channels of a token's last four. */
export function layerNorm(
  x: usize, count: i32, channels: i32, weight: usize, bias: usize, mask: usize, y: usize,
): void {
  const bytes: usize = 4 * ((channels + 3) & ~3);
  const last = bytes - 16;
  const keep = v128.load(mask);
  for (let t = 0; t < count; t++) {
    let sum = v128.load(x);
    for (let at: usize = 16; at < bytes; at += 16) sum = f32x4.add(sum, v128.load(x + at));
    const mean = f32x4.splat(sumOf(sum) / <f32>channels);
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < last; at += 16) {
      const centred = f32x4.sub(v128.load(x + at), mean);
      squares = madd(centred, centred, squares);
    }
    const centred = v128.and(f32x4.sub(v128.load(x + last), mean), keep);
    squares = madd(centred, centred, squares);
    const scale = f32x4.splat(<f32>1 / sqrt<f32>(sumOf(squares) / <f32>channels + EPSILON));
    for (let at: usize = 0; at < bytes; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), mean), scale);
      v128.store(y + at, madd(normal, v128.load(weight + at), v128.load(bias + at)));
    }
    x += bytes;
    y += bytes;
  }
}

export function add(a: usize, b: usize, y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(y + at, f32x4.add(v128.load(a + at), v128.load(b + at)));
  }
}

export function multiply(a: usize, b: usize, y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(y + at, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  }
}

export function sigmoids(x: usize, y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(y + at, sigmoid(v128.load(x + at)));
}

/** relu(x)² */
export function squaredRelu(x: usize, y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    const positive = f32x4.pmax(v128.load(x + at), f32x4.splat(0));
    v128.store(y + at, f32x4.mul(positive, positive));
  }
}

/** Each token times a vector. */
export function scale(x: usize, factor: usize, y: usize, count: i32, bytes: usize): void {
  for (let t = 0; t < count; t++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(y + at, f32x4.mul(v128.load(x + at), v128.load(factor + at)));
    }
    x += bytes;
    y += bytes;
  }
}

/** The channels of a and then those of b, whose tokens are `aBytes` and `bBytes` apart. */
export function concat(
  a: usize, aChannels: i32, aBytes: usize, b: usize, bChannels: i32, bBytes: usize, y: usize, bytes: usize, count: i32,
): void {
  const first: usize = 4 * aChannels;
  for (let t = 0; t < count; t++) {
    for (let at: usize = 0; at < aBytes; at += 16) v128.store(y + at, v128.load(a + at));
    if ((aChannels & 3) === 0) {
      for (let at: usize = 0; at < bBytes; at += 16) v128.store(y + first + at, v128.load(b + at));
    } else {
      for (let at: usize = 0; at < <usize>(4 * bChannels); at += 4) store<f32>(y + first + at, load<f32>(b + at));
      for (let at = first + 4 * bChannels; at < bytes; at += 4) store<f32>(y + at, 0);
    }
    a += aBytes;
    b += bBytes;
    y += bytes;
  }
}

/** The largest value of each channel. */
export function maxima(x: usize, count: i32, bytes: usize, y: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    let top = v128.load(x + at);
    for (let t = 1, p = x + at + bytes; t < count; t++, p += bytes) top = f32x4.pmax(top, v128.load(p));
    v128.store(y + at, top);
  }
}
