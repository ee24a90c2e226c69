import { exponential, madd } from './arithmetic';
import { SUMS } from './instructions';

/*
 * Bi-WKV (eq. 8) where decays and bonuses are small enough for plain sums. With E = e^{k − max k}, r = e^{−w/T} and
 * own = e^{u/T} a channel's result is
 *
 *   y_t = (before(E v)_t + after(E v)_t + own E v_t) / (before(E)_t + after(E)_t + own E_t),
 *   before(x)_t = Σ_{i<t} r^{t−i−1} x_i,  after(x)_t = Σ_{i>t} r^{i−t−1} x_i.
 *
 * The sequence is cut into chunks. `totals` sums each chunk, `carry` the chunks before and after each, `scan` goes through
 * a chunk from both ends. Parts of a sum stay short so, and r^n exact: it is one float32 rounding for a chunk. Within a
 * chunk r·x is computed as x + (r − 1)·x, since r itself is too near 1 for float32.
 */

/**
 * Sums of one chunk of `count` tokens, `bytes` long and apart. Where `top` is not 0 it holds each channel's largest key
 * and k the keys, which are replaced by E; else k holds E. `rate` is r − 1. sums [4, channels]
 */
export function totals(k: usize, v: usize, count: i32, bytes: usize, top: usize, rate: usize, sums: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    const q = v128.load(rate + at);
    const largest = top === 0 ? q : v128.load(top + at);
    let a = f32x4.splat(0), b = a, c = a, d = a, power = f32x4.splat(1);
    for (let t = 0, p = k + at, o = v + at; t < count; t++, p += bytes, o += bytes) {
      let e = v128.load(p);
      if (top !== 0) {
        e = exponential(f32x4.sub(e, largest));
        v128.store(p, e);
      }
      const ev = f32x4.mul(e, v128.load(o));
      a = f32x4.add(a, madd(a, q, ev));
      b = f32x4.add(b, madd(b, q, e));
      c = madd(power, ev, c);
      d = madd(power, e, d);
      power = madd(power, q, power);
    }
    const to = sums + at;
    v128.store(to, a);
    v128.store(to + bytes, b);
    v128.store(to + 2 * bytes, c);
    v128.store(to + 3 * bytes, d);
  }
}

/**
 * Replaces each chunk's sums by those of the chunks before it and after it. `rate` is r^n − 1 with n tokens in every chunk
 * but the last, which may have fewer.
 */
export function carry(sums: usize, chunks: i32, bytes: usize, rate: usize): void {
  const step = SUMS * bytes;
  for (let at: usize = 0; at < 2 * bytes; at += 16) {
    const q = v128.load(rate + (at < bytes ? at : at - bytes));
    let before = f32x4.splat(0);
    for (let i = 0, p = sums + at; i < chunks; i++, p += step) {
      const own = v128.load(p);
      v128.store(p, before);
      before = f32x4.add(before, madd(before, q, own));
    }
    let after = f32x4.splat(0);
    for (let i = chunks - 1, p = sums + at + 2 * bytes + i * step; i >= 0; i--, p -= step) {
      const own = v128.load(p);
      v128.store(p, after);
      after = f32x4.add(after, madd(after, q, own));
    }
  }
}

/** One chunk's results, from what `carry` left in `sums`. `scratch` has room for two vectors a token. */
export function scan(
  e: usize, v: usize, y: usize, count: i32, bytes: usize, rate: usize, own: usize, sums: usize, scratch: usize,
): void {
  const length: usize = count * bytes;
  for (let at: usize = 0; at < bytes; at += 16) {
    const q = v128.load(rate + at), self = v128.load(own + at);
    let a = v128.load(sums + at), b = v128.load(sums + bytes + at);
    let s = scratch;
    for (let p = at; p < length; p += bytes, s += 32) {
      const x = v128.load(e + p);
      v128.store(s, a);
      v128.store(s, b, 16);
      a = f32x4.add(a, madd(a, q, f32x4.mul(x, v128.load(v + p))));
      b = f32x4.add(b, madd(b, q, x));
    }
    a = v128.load(sums + 2 * bytes + at);
    b = v128.load(sums + 3 * bytes + at);
    for (let p = length - bytes + at; <isize>p >= 0; p -= bytes) {
      s -= 32;
      const x = v128.load(e + p), xv = f32x4.mul(x, v128.load(v + p));
      const over = f32x4.add(v128.load(s), madd(self, xv, a));
      const under = f32x4.add(v128.load(s, 16), madd(self, x, b));
      v128.store(y + p, f32x4.div(over, under));
      a = f32x4.add(a, madd(a, q, xv));
      b = f32x4.add(b, madd(b, q, x));
    }
  }
}

/** A block of columns of an image to one after another: [height, columns, channels] → [columns, height, channels]. */
export function gather(x: usize, row: usize, height: i32, columns: i32, bytes: usize, y: usize): void {
  const column = height * bytes;
  for (let i = 0; i < height; i++, x += row, y += bytes) {
    for (let j = 0, from = x, to = y; j < columns; j++, from += bytes, to += column) {
      for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
    }
  }
}

/** The inverse of `gather`. */
export function scatter(y: usize, height: i32, columns: i32, bytes: usize, x: usize, row: usize): void {
  const column = height * bytes;
  for (let i = 0; i < height; i++, x += row, y += bytes) {
    for (let j = 0, to = x, from = y; j < columns; j++, to += bytes, from += column) {
      for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
    }
  }
}
