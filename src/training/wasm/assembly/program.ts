import { clearBorder, copy, shift, shuffle, unshuffle, windows } from './images';
import * as I from './instructions';
import { product } from './product';
import { carry, gather, scan, scatter, totals } from './scan';
import { add, concat, layerNorm, maxima, multiply, scale, sigmoids, squaredRelu } from './tokens';

/** Computes, in TypeScript, what has no kernel here. */
@external("program", "call")
declare function call(index: i32): void;

/** The instruction being computed, the first token and how many, and this thread's own memory. */
let instruction: usize = 0;
let first: i32 = 0;
let count: i32 = 0;
let own: usize = 0;

@inline
function word(i: i32): i32 {
  return load<i32>(instruction + (<usize>i << 2));
}

/** An operand's first token: addresses below zero, inverted, are in the thread's own memory, which holds a band. */
@inline
function tokens(i: i32, bytes: usize): usize {
  const address = word(i);
  return address < 0 ? own + ~address : address + first * bytes;
}

/** The same, 0 where there is none. */
@inline
function maybe(i: i32, bytes: usize): usize {
  return word(i) === 0 ? 0 : tokens(i, bytes);
}

function linear(): void {
  // x, its floats, y, its floats, panels, bias, squared, gate, residual
  const depth = word(2), columns = word(4);
  const bytes: usize = 4 * columns;
  product(
    tokens(1, 4 * depth), count, depth, word(5), columns, word(6), tokens(3, bytes), word(7) !== 0, maybe(8, bytes),
    maybe(9, bytes),
  );
}

function gathered(): void {
  // padded x, bytes of its pixels, width, kernel's edge, windows
  const bytes: usize = word(2);
  const width = word(3), k = word(4);
  const row: usize = (width + k - 1) * bytes;
  const length = k * k * bytes;
  const y = tokens(5, length);
  for (let t = 0; t < count;) {
    const line = (first + t) / width, column = (first + t) % width;
    const run = min(count - t, width - column);
    windows(word(1) + line * row + column * bytes, row, run, k, bytes, y + t * length);
    t += run;
  }
}

function shifted(): void {
  // padded x, width, kernel, y, bytes
  const width = word(2);
  const bytes: usize = word(5);
  const row: usize = (width + 4) * bytes;
  const y = tokens(4, bytes);
  for (let t = 0; t < count;) {
    const line = (first + t) / width, column = (first + t) % width;
    const run = min(count - t, width - column);
    shift(word(1) + line * row + column * bytes, row, run, word(3), y + t * bytes, bytes);
    t += run;
  }
}

function pad(): void {
  // x, padded y, height, width, margin, bytes
  const height = word(3), width = word(4), margin = word(5);
  const bytes: usize = word(6);
  const row: usize = (width + 2 * margin) * bytes;
  if (first === 0) clearBorder(word(2), height + 2 * margin, row, margin, bytes);
  const x = tokens(1, bytes);
  for (let t = 0; t < count;) {
    const line = (first + t) / width, column = (first + t) % width;
    const run = min(count - t, width - column);
    copy(x + t * bytes, word(2) + (line + margin) * row + (column + margin) * bytes, run * bytes);
    t += run;
  }
}

function rearranged(down: bool): void {
  // whole x, its bytes, channels (of y, of x going down), width of y, y, its bytes
  const xBytes: usize = word(2), bytes: usize = word(6);
  const channels = word(3), width = word(4);
  const y = tokens(5, bytes);
  for (let t = 0; t < count;) {
    const line = (first + t) / width, column = (first + t) % width;
    const run = min(count - t, width - column);
    const to = y + t * bytes;
    if (down) {
      const row: usize = 2 * width * xBytes;
      unshuffle(word(1) + 2 * line * row + 2 * column * xBytes, row, xBytes, run, channels, to, bytes);
    } else {
      const from = word(1) + ((line >> 1) * (width >> 1) + (column >> 1)) * xBytes;
      shuffle(from, xBytes, line & 1, column & 1, run, channels, to, bytes);
    }
    t += run;
  }
}

/** Here a token is a chunk of the sequence: `first` and `count` are chunks. */
function rowChunks(output: bool): void {
  // keys, values, tokens, length, bytes, sums, rate and largest | y, own
  const all = word(3), length = word(4);
  const bytes: usize = word(5);
  for (let chunk = first; chunk < first + count; chunk++) {
    const at = chunk * length * bytes;
    const here = min(length, all - chunk * length);
    const sums = word(6) + chunk * I.SUMS * bytes;
    if (output) scan(word(1) + at, word(2) + at, word(8) + at, here, bytes, word(7), word(9), sums, own);
    else totals(word(1) + at, word(2) + at, here, bytes, word(8), word(7), sums);
  }
}

/** Chunks are columns, brought together in this thread's memory. */
function columnChunks(output: bool): void {
  // keys, values, height, width, bytes, sums, rate and largest | y, own
  const height = word(3);
  const bytes: usize = word(5);
  const row: usize = word(4) * bytes, column: usize = height * bytes;
  const k = own, v = k + count * column, scratch = v + count * column;
  const at = first * bytes;
  gather(word(1) + at, row, height, count, bytes, k);
  gather(word(2) + at, row, height, count, bytes, v);
  for (let i = 0; i < count; i++) {
    const sums = word(6) + (first + i) * I.SUMS * bytes;
    const from = i * column;
    if (output) scan(k + from, v + from, v + from, height, bytes, word(7), word(9), sums, scratch);
    else totals(k + from, v + from, height, bytes, word(8), word(7), sums);
  }
  if (output) scatter(v, height, count, bytes, word(8) + at, row);
  else if (word(8) !== 0) scatter(k, height, count, bytes, word(1) + at, row);
}

function compute(code: i32): void {
  switch (code) {
    case I.LINEAR: return linear();
    case I.WINDOWS: return gathered();
    case I.LAYER_NORM: {
      const bytes: usize = 4 * ((word(2) + 3) & ~3);
      return layerNorm(tokens(1, bytes), count, word(2), word(3), word(4), word(5), tokens(6, bytes));
    }
    case I.SHIFT: return shifted();
    case I.PAD: return pad();
    case I.ADD: return add(tokens(1, word(4)), tokens(2, word(4)), tokens(3, word(4)), count * word(4));
    case I.MULTIPLY: return multiply(tokens(1, word(4)), tokens(2, word(4)), tokens(3, word(4)), count * word(4));
    case I.SCALE: return scale(tokens(1, word(4)), word(2), tokens(3, word(4)), count, word(4));
    case I.SIGMOID: return sigmoids(tokens(1, word(3)), tokens(2, word(3)), count * word(3));
    case I.SQUARED_RELU: return squaredRelu(tokens(1, word(3)), tokens(2, word(3)), count * word(3));
    case I.CONCAT: {
      const aBytes: usize = 4 * ((word(2) + 3) & ~3), bBytes: usize = 4 * ((word(4) + 3) & ~3);
      const bytes: usize = 4 * ((word(2) + word(4) + 3) & ~3);
      return concat(
        tokens(1, aBytes), word(2), aBytes, tokens(3, bBytes), word(4), bBytes, tokens(5, bytes), bytes, count,
      );
    }
    case I.SHUFFLE: return rearranged(false);
    case I.UNSHUFFLE: return rearranged(true);
    // One row of maxima a band.
    case I.MAXIMA: return maxima(tokens(1, word(3)), count, word(3), word(2) + (first / word(4)) * word(3));
    case I.LARGEST: return maxima(word(1), word(2), word(3), word(4));
    case I.TOTALS: return rowChunks(false);
    case I.CARRY: return carry(word(1), word(2), word(3), word(4));
    case I.SCAN: return rowChunks(true);
    case I.COLUMN_TOTALS: return columnChunks(false);
    case I.COLUMN_SCAN: return columnChunks(true);
    case I.CALL: return call(word(1));
  }
}

function computeAll(code: usize): void {
  for (let head = load<i32>(code); head !== I.END; head = load<i32>(code)) {
    instruction = code;
    compute(head & ((1 << I.LENGTH_SHIFT) - 1));
    code += <usize>(head >> I.LENGTH_SHIFT) << 2;
  }
}

/** An item of a stage. */
export function computeItem(stage: usize, item: i32): void {
  const band = load<i32>(stage + 4 * I.BAND);
  first = item * band;
  count = min(band, load<i32>(stage + 4 * I.TOTAL) - first);
  computeAll(load<i32>(stage + 4 * I.CODE));
}

/** What follows a stage's last item. */
export function finish(stage: usize): void {
  const code = load<i32>(stage + 4 * I.FINALLY);
  if (code !== 0) computeAll(code);
}

/** The memory of this thread alone. */
export function setOwn(address: usize): void {
  own = address;
}
