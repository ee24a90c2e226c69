import { madd } from './arithmetic';

// What all tiles of a product have in common.

/** From one token to the next, of what is read and of what is written, in bytes. */
let stride: usize = 0;
let outputStride: usize = 0;
let squared: bool = false;
/** From where an output is written to its factor and summand, in bytes; 0 for none. */
let gate: usize = 0;
let residual: usize = 0;

@inline
function put(y: usize, value: v128): void {
  if (squared) {
    value = f32x4.pmax(value, f32x4.splat(0));
    value = f32x4.mul(value, value);
  }
  if (gate !== 0) value = f32x4.mul(value, v128.load(y + gate));
  if (residual !== 0) value = f32x4.add(value, v128.load(y + residual));
  v128.store(y, value);
}

// The loops are not unrolled: V8 would load the next steps' values early and run out of registers, a quarter slower.

/** Four tokens by eight columns. */
function tile4x8(x: usize, w: usize, bias: usize, y: usize): void {
  const one = stride, two = 2 * stride, three = 3 * stride;
  let s0 = v128.load(bias), t0 = v128.load(bias, 16);
  let s1 = s0, t1 = t0, s2 = s0, t2 = t0, s3 = s0, t3 = t0;
  for (const end = x + stride; x < end; x += 4, w += 32) {
    const a = v128.load(w), b = v128.load(w, 16);
    let v = v128.load32_splat(x);
    s0 = madd(v, a, s0);
    t0 = madd(v, b, t0);
    v = v128.load32_splat(x + one);
    s1 = madd(v, a, s1);
    t1 = madd(v, b, t1);
    v = v128.load32_splat(x + two);
    s2 = madd(v, a, s2);
    t2 = madd(v, b, t2);
    v = v128.load32_splat(x + three);
    s3 = madd(v, a, s3);
    t3 = madd(v, b, t3);
  }
  put(y, s0);
  put(y + 16, t0);
  y += outputStride;
  put(y, s1);
  put(y + 16, t1);
  y += outputStride;
  put(y, s2);
  put(y + 16, t2);
  y += outputStride;
  put(y, s3);
  put(y + 16, t3);
}

/** Four tokens by four columns. */
function tile4x4(x: usize, w: usize, bias: usize, y: usize): void {
  const one = stride, two = 2 * stride, three = 3 * stride;
  let s0 = v128.load(bias);
  let s1 = s0, s2 = s0, s3 = s0;
  for (const end = x + stride; x < end; x += 4, w += 16) {
    const a = v128.load(w);
    s0 = madd(v128.load32_splat(x), a, s0);
    s1 = madd(v128.load32_splat(x + one), a, s1);
    s2 = madd(v128.load32_splat(x + two), a, s2);
    s3 = madd(v128.load32_splat(x + three), a, s3);
  }
  put(y, s0);
  y += outputStride;
  put(y, s1);
  y += outputStride;
  put(y, s2);
  y += outputStride;
  put(y, s3);
}

/** One token by eight or four columns, where fewer than four tokens are left. */
function tile1(x: usize, w: usize, bias: usize, y: usize, wide: bool): void {
  let s = v128.load(bias), t = wide ? v128.load(bias, 16) : s;
  for (const end = x + stride; x < end; x += 4) {
    const v = v128.load32_splat(x);
    s = madd(v, v128.load(w), s);
    if (wide) t = madd(v, v128.load(w, 16), t);
    w += wide ? 32 : 16;
  }
  put(y, s);
  if (wide) put(y + 16, t);
}

/**
 * y = x·W + bias, squared after relu or not, times the gate, plus the residual; the last two at the address of an output
 * or 0. Tokens follow one another.
 *
 * @param floats of a token of x, a multiple of four as `columns` is
 * @param w W in panels of eight columns, and of four where those are left over: [panel][floats][8 or 4]
 */
export function product(
  x: usize, count: i32, floats: i32, w: usize, columns: i32, bias: usize, y: usize, square: bool, factor: usize,
  summand: usize,
): void {
  stride = 4 * floats;
  outputStride = 4 * columns;
  squared = square;
  gate = factor === 0 ? 0 : factor - y;
  residual = summand === 0 ? 0 : summand - y;
  const quads = count & ~3;
  for (let column = 0; column < columns; column += 8) {
    const wide = columns - column >= 8;
    let from = x, to = y + 4 * column;
    for (let t = 0; t < quads; t += 4) {
      if (wide) tile4x8(from, w, bias, to);
      else tile4x4(from, w, bias, to);
      from += 4 * stride;
      to += 4 * outputStride;
    }
    for (let t = quads; t < count; t++) {
      tile1(from, w, bias, to, wide);
      from += stride;
      to += outputStride;
    }
    w += 8 * stride;
    bias += 32;
  }
}
