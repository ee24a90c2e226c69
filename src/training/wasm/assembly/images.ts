import { madd } from './arithmetic';

// Operators that need a pixel's neighbours. A padded image has a border of zeros; `row` is its row's length in bytes,
// `bytes` a pixel's. Parts of an image are runs of pixels within one row.

/** Copies pixels to where they stand in a padded image. */
export function copy(x: usize, y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(y + at, v128.load(x + at));
}

function clear(y: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(y + at, f32x4.splat(0));
}

/** Zeros in the border, `margin` pixels wide, of an image of which `height` and `row` are with it. */
export function clearBorder(y: usize, height: i32, row: usize, margin: i32, bytes: usize): void {
  const side: usize = margin * bytes;
  clear(y, margin * row + side);
  for (let i = margin + 1; i < height - margin; i++) clear(y + i * row - side, 2 * side);
  clear(y + (height - margin) * row - side, margin * row + side);
}

/**
 * Depth-wise 5×5 convolution, kernel [5, 5, channels]. `x` is where the first pixel's window begins in the padded image.
 */
export function shift(x: usize, row: usize, count: i32, kernel: usize, y: usize, bytes: usize): void {
  const quads = count & ~3;
  const two = 2 * bytes, three = 3 * bytes;
  for (let at: usize = 0; at < bytes; at += 16) {
    let from = x + at, to = y + at;
    for (let t = 0; t < quads; t += 4) {
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      let p = from, k = kernel + at;
      for (let i = 0; i < 5; i++) {
        let q = p;
        for (const end = p + 5 * bytes; q < end; q += bytes, k += bytes) {
          const w = v128.load(k);
          s0 = madd(v128.load(q), w, s0);
          s1 = madd(v128.load(q + bytes), w, s1);
          s2 = madd(v128.load(q + two), w, s2);
          s3 = madd(v128.load(q + three), w, s3);
        }
        p += row;
      }
      v128.store(to, s0);
      v128.store(to + bytes, s1);
      v128.store(to + two, s2);
      v128.store(to + three, s3);
      to += 4 * bytes;
      from += 4 * bytes;
    }
    for (let t = quads; t < count; t++) {
      let s = f32x4.splat(0);
      let p = from, k = kernel + at;
      for (let i = 0; i < 5; i++) {
        for (let j = 0, q = p; j < 5; j++, q += bytes, k += bytes) s = madd(v128.load(q), v128.load(k), s);
        p += row;
      }
      v128.store(to, s);
      to += bytes;
      from += bytes;
    }
  }
}

/** The k × k pixels around each of a run, from a padded image, one after another: what a convolution multiplies. */
export function windows(x: usize, row: usize, count: i32, k: i32, bytes: usize, y: usize): void {
  const line: usize = k * bytes;
  for (let t = 0; t < count; t++, x += bytes) {
    for (let i = 0, from = x; i < k; i++, from += row, y += line) copy(from, y, line);
  }
}

/**
 * Pixel-shuffle of a run of output pixels. `x` is the input's pixel of the first, which stands at (i, j) of the four that
 * come of it; channel 4c + 2i + j goes to channel c.
 */
export function shuffle(x: usize, xBytes: usize, i: i32, j: i32, count: i32, channels: i32, y: usize, bytes: usize): void {
  for (let t = 0; t < count; t++) {
    const from = x + 4 * (2 * i + j);
    for (let c = 0; c < channels; c++) store<f32>(y + 4 * c, load<f32>(from + 16 * c));
    for (let at: usize = 4 * channels; at < bytes; at += 4) store<f32>(y + at, 0);
    y += bytes;
    if (j === 1) x += xBytes;
    j = 1 - j;
  }
}

/** The inverse of `shuffle`: `x` is the upper left of the first output's four pixels, `channels` the input's. */
export function unshuffle(x: usize, row: usize, xBytes: usize, count: i32, channels: i32, y: usize, bytes: usize): void {
  for (let t = 0; t < count; t++) {
    for (let c = 0; c < channels; c++) {
      const from = x + 4 * c, to = y + 16 * c;
      store<f32>(to, load<f32>(from));
      store<f32>(to, load<f32>(from + xBytes), 4);
      store<f32>(to, load<f32>(from + row), 8);
      store<f32>(to, load<f32>(from + row + xBytes), 12);
    }
    x += 2 * xBytes;
    y += bytes;
  }
}
