import * as tf from '@tensorflow/tfjs';
import type { Scan } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import { exclusivePrefixSum } from './tfjsPrefixSum.ts';
import { imageShape } from './tfjsTensor.ts';

/** Bounds of |w| and |u − w|/T: the sum of both stays under float32's e^{−87}, less what many small terms add up to. */
export const MAX_DECAY = 50;
export const MAX_OWN_EXPONENT = 25;

/**
 * Bi-WKV (eq. 8) from tfjs's own differentiable operators, over the H·W tokens row by row or column by column.
 *
 * With p_t = (t − (T − 1)/2)/T in (−½, ½), E_t = exp(k_t − max k) and the sums taken over each channel apart,
 *
 *     before_t = Σ_{i<t} e^{−(t−i−1)w/T} E_i = e^{w/T} · e^{−w·p_t} · Σ_{i<t} e^{w·p_i} E_i        (a prefix sum)
 *     after_t  = Σ_{i>t} e^{−(i−t−1)w/T} E_i = e^{w/T} · e^{w·p_t} · Σ_{i>t} e^{−w·p_i} E_i        (from the other end)
 *
 * and alike with E_i v_i. Dividing numerator and denominator by e^{w/T} leaves the token's own weight e^{(u−w)/T} E_t.
 * All terms are positive, so nothing cancels, and position enters as at most e^{±w/2}: float32 holds it for
 * |w| ≤ 50 and |u − w|/T ≤ 25 with any keys, since a key that underflows, at e^{−87}, is then outweighed by the largest
 * one wherever that stands.
 *
 * @param key, value [N, H, W, C]
 * @param decay, bonus [C], before the division by T
 */
export function biWkv(key: tf.Tensor, value: tf.Tensor, decay: tf.Tensor, bonus: tf.Tensor, scan: Scan): tf.Tensor {
  const [n, h, w, c] = imageShape(key, 'biWkv key');
  if (value.shape.join() !== key.shape.join()) {
    throw new ShapeError(`biWkv: found value [${value.shape.join(', ')}], expected as key [${key.shape.join(', ')}]`);
  }
  const length = h * w;
  // Channels before tokens, so that prefix sums run along the last axis. A line is a row or a column.
  const [lines, line, order] = scan === 'rows' ? [h, w, [0, 3, 1, 2]] : [w, h, [0, 3, 2, 1]];
  const sequences = (x: tf.Tensor) => tf.reshape(tf.transpose(x, order), [n, c, length]);

  return tf.tidy(() => {
    const rising = positionTerm(decay, lines, line); //                                e^{w·p}: [C, T]
    const falling = tf.reciprocal(rising); //                                          e^{−w·p}: [C, T]
    const own = tf.exp(tf.reshape(tf.div(tf.sub(bonus, decay), length), [c, 1])); //   e^{(u−w)/T}: [C, 1]
    const sum = (x: tf.Tensor) =>
      tf.tidy(() => {
        const before = tf.mul(falling, exclusivePrefixSum(tf.mul(rising, x), 'start'));
        const after = tf.mul(rising, exclusivePrefixSum(tf.mul(falling, x), 'end'));
        return tf.add(tf.add(before, after), tf.mul(own, x));
      });

    const exponentials = tf.exp(belowMaximum(sequences(key))); //                      E: [N, C, T]
    const y = tf.div(sum(tf.mul(exponentials, sequences(value))), sum(exponentials));
    return scan === 'rows'
      ? tf.transpose(tf.reshape(y, [n, c, h, w]), [0, 2, 3, 1])
      : tf.transpose(tf.reshape(y, [n, c, w, h]), [0, 3, 2, 1]);
  });
}

/** e^{w·p_t} as the product of a line's and a token's term: lines + line exponentials a channel in place of T. */
function positionTerm(decay: tf.Tensor, lines: number, line: number): tf.Tensor {
  const channels = decay.size;
  const length = lines * line;
  const term = (count: number, stride: number, shape: number[]) => {
    const positions = Float32Array.from({ length: count }, (_, i) => ((i - (count - 1) / 2) * stride) / length);
    return tf.exp(tf.mul(tf.reshape(decay, [channels, 1, 1]), tf.tensor(positions, shape)));
  };
  return tf.reshape(tf.mul(term(lines, line, [1, lines, 1]), term(line, 1, [1, 1, line])), [channels, length]);
}

/** x − max x along the last axis. The maximum cancels from Bi-WKV, so its gradient is nought and is not computed. */
const belowMaximum = tf.customGrad((x) => ({
  value: tf.sub(x as tf.Tensor, tf.max(x as tf.Tensor, -1, true)),
  gradFunc: (dy: tf.Tensor) => dy,
}));
