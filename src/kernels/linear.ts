import shader from '../../shaders/linear.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise } from './kernel.ts';
import type { Variants } from './variants.ts';

export interface LinearArguments<B> {
  readonly x: View<B>;
  /** [x.lanes, y.lanes], zero rows and columns for padding channels */
  readonly weight: B;
  /** [y.lanes] */
  readonly bias?: B | undefined;
  /** Multiplies by sigmoid(gate), shape of y. */
  readonly gate?: View<B> | undefined;
  /** Added last, shape of y. */
  readonly residual?: View<B> | undefined;
  readonly y: View<B>;
  /** From this lane of y on, relu(·)² of the sum (the key of channel mix, eq. 6). */
  readonly squaredFrom?: number | undefined;
}

/**
 * y = sigmoid(gate) ⊙ f(x·W + bias) + residual over channels; also the 1×1 convolution.
 *
 * @throws ShapeError where gate, residual or y differ from x in pixels
 */
export function linear<B>(args: LinearArguments<B>, variant: Variants['linear']): Dispatch<B> {
  const { x, weight, bias, gate, residual, y, squaredFrom } = args;
  const tokens = pixelsOf(x);
  for (const other of [gate, residual, y]) {
    if (other && pixelsOf(other) !== tokens) {
      throw new ShapeError(`linear: ${pixelsOf(other)} pixels meet ${tokens} pixels of x; they must be the same`);
    }
  }
  const { entryPoint, tokens: perThread, outputs } = variant;
  const vectors = y.lanes / 4;
  const tile = entryPoint === 'throughRegisters' ? [64 * perThread, outputs] : [8 * perThread, 8 * outputs];
  return {
    label: `linear ${x.channels}→${y.channels}`,
    code: specialise(shader, {
      TOKENS: perThread, OUTPUTS: outputs,
      SQUARED_RELU: squaredFrom !== undefined, BIAS: bias !== undefined, GATE: gate !== undefined, RESIDUAL: residual !== undefined,
    }),
    entryPoint,
    params: [
      tokens, x.lanes / 4, vectors, (squaredFrom ?? 0) / 4,
      ...place(x, 4), ...place(gate ?? x, 4), ...place(residual ?? x, 4), ...place(y, 4),
    ],
    // Bindings that a variant does not read still want a buffer.
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias ?? weight, access: 'read' },
      { binding: 4, buffer: gate?.buffer ?? x.buffer, access: 'read' },
      { binding: 5, buffer: residual?.buffer ?? x.buffer, access: 'read' },
      { binding: 6, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(tokens / tile[0]!), Math.ceil(vectors / tile[1]!), 1],
  };
}
