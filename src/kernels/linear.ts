import shader from '../../shaders/linear.wgsl?raw';
import subgroupShader from '../../shaders/linearSubgroups.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pairsFor, pixelsOf, place, specialise, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

export interface LinearArguments<B> {
  readonly x: View<B>;
  /** [x.lanes, y.lanes], zero rows and columns for padding channels */
  readonly weight: B;
  /** Multiplies by sigmoid(gate), shape of y. */
  readonly gate?: View<B> | undefined;
  /** [y.lanes] */
  readonly bias?: B | undefined;
  /** Added last, shape of y. */
  readonly residual?: View<B> | undefined;
  readonly y: View<B>;
  /** From this lane of y on, relu(·)² of the sum (the key of channel mix, eq. 6). */
  readonly squaredFrom?: number | undefined;
}

/**
 * y = sigmoid(gate) ⊙ f(x·W) + bias + residual over channels; also the 1×1 convolution.
 *
 * @throws ShapeError where gate, residual or y differ from x in pixels
 */
export function linear<B>(args: LinearArguments<B>, variant: Variants['linear']): Dispatch<B> {
  const { x, weight, gate, bias, residual, y, squaredFrom } = args;
  const tokens = pixelsOf(x);
  for (const other of [gate, residual, y]) {
    if (other && pixelsOf(other) !== tokens) {
      throw new ShapeError(`linear: ${pixelsOf(other)} pixels meet ${tokens} pixels of x; they must be the same`);
    }
  }
  const vectors = y.lanes / 4;
  const { code, tile } = tiling(vectors, variant, {
    GATE: gate !== undefined, BIAS: bias !== undefined, RESIDUAL: residual !== undefined, Stored: storedVec4(x),
  });
  return {
    label: `linear ${x.channels}→${y.channels}`,
    code,
    entryPoint: variant.entryPoint,
    params: [
      tokens, x.lanes / 4, vectors, (squaredFrom ?? y.lanes) / 4,
      ...place(x, 4), ...place(gate ?? x, 4), ...place(residual ?? x, 4), ...place(y, 4),
    ],
    // Terms that are not there still want a buffer.
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: gate?.buffer ?? x.buffer, access: 'read' },
      { binding: 4, buffer: residual?.buffer ?? x.buffer, access: 'read' },
      { binding: 5, buffer: bias ?? weight, access: 'read' },
      { binding: 6, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(tokens / tile[0]), Math.ceil(vectors / tile[1]), 1],
  };
}

/** The code for a tile shape, and how many tokens and output vec4s a workgroup computes. */
function tiling(
  vectors: number, { entryPoint, tokens, outputs }: Variants['linear'], terms: Readonly<Record<string, boolean | string>>,
): { code: string; tile: readonly [number, number] } {
  if (entryPoint === 'throughSubgroups') {
    const pairs = pairsFor(vectors, outputs);
    return { code: specialise(subgroupShader, { TOKENS: tokens, PAIRS: pairs, ...terms }), tile: [64 * tokens, 2 * pairs] };
  }
  return {
    code: specialise(shader, { TOKENS: tokens, OUTPUTS: outputs, ...terms }),
    tile: entryPoint === 'throughRegisters' ? [64 * tokens, outputs] : [8 * tokens, 8 * outputs],
  };
}
