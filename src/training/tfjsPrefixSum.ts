import * as tf from '@tensorflow/tfjs';

/** Elements summed by one triangular matrix product; of 8, 16, 32 and 64 the fastest on wasm. */
const CHUNK = 16;

/**
 * Exclusive prefix sums along the last axis, from its start (y_t = Σ_{i<t} x_i) or from its end (y_t = Σ_{i>t} x_i).
 *
 * In chunks, each times a strictly triangular matrix of ones, plus what the chunks before it add up to. `tf.cumsum` is
 * not used: on WebGPU it compiles the axis's length into its reverse shader without naming it in the cache key, so a
 * second length gets wrong sums; it takes log₂ T passes over the data there; and on wasm this is no slower.
 *
 * @param x [..., T]
 */
export function exclusivePrefixSum(x: tf.Tensor, from: 'start' | 'end'): tf.Tensor {
  return tf.tidy(() => {
    const length = x.shape[x.rank - 1];
    const rows = x.size / length;
    return tf.reshape(sumRows(tf.reshape(x, [rows, length]), rows, length, from), x.shape);
  });
}

function sumRows(x: tf.Tensor, rows: number, length: number, from: 'start' | 'end'): tf.Tensor {
  if (length <= CHUNK) return tf.matMul(x, triangle(length, from));
  const chunks = Math.ceil(length / CHUNK);
  const padding = chunks * CHUNK - length;
  const padded = padding === 0 ? x : tf.pad(x, [[0, 0], [0, padding]]);
  const chunked = tf.reshape(padded, [rows * chunks, CHUNK]);
  const within = tf.reshape(tf.matMul(chunked, triangle(CHUNK, from)), [rows, chunks, CHUNK]);
  const totals = tf.reshape(tf.sum(chunked, 1), [rows, chunks]);
  const carried = tf.reshape(sumRows(totals, rows, chunks, from), [rows, chunks, 1]);
  const sums = tf.reshape(tf.add(within, carried), [rows, chunks * CHUNK]);
  return padding === 0 ? sums : tf.slice(sums, [0, 0], [rows, length]);
}

/** Ones where element i (row) counts towards sum t (column): i < t from the start, i > t from the end. */
function triangle(size: number, from: 'start' | 'end'): tf.Tensor2D {
  const ones = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let t = 0; t < size; t++) ones[i * size + t] = (from === 'start' ? i < t : i > t) ? 1 : 0;
  }
  return tf.tensor2d(ones, [size, size]);
}
