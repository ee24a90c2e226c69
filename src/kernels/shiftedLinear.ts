import shader from '../../shaders/shiftedLinear.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise, storedVec4 } from './kernel.ts';
import type { ShiftWeights } from './shiftedNorm.ts';

export interface ShiftedLinearArguments<B> {
  readonly x: View<B>;
  readonly shift: ShiftWeights<B>;
  /** [x.lanes, y.lanes], zero rows and columns for padding channels */
  readonly weight: B;
  readonly y: View<B>;
}

/** Vec4s of a token's channels whose tile fits the workgroup memory that WebGPU promises. */
export const SHIFTED_LINEAR_WIDEST = 12;

/**
 * y = OmniShift(LayerNorm(x))·W: what receptance, key and value are projected from (eqs. 1–3) never goes to memory.
 *
 * @throws ShapeError where x is too wide for that
 */
export function shiftedLinear<B>({ x, shift, weight, y }: ShiftedLinearArguments<B>): Dispatch<B> {
  const vectors = x.lanes / 4;
  if (vectors > SHIFTED_LINEAR_WIDEST) {
    throw new ShapeError(`shiftedLinear: ${x.channels} channels; a tile holds at most ${4 * SHIFTED_LINEAR_WIDEST}`);
  }
  return {
    label: `shiftedLinear ${x.channels}→${y.channels}`,
    code: specialise(shader, { VECTORS: vectors, Stored: storedVec4(x) }),
    entryPoint: 'throughWorkgroup',
    params: [x.height, x.width, vectors, x.channels, y.lanes / 4, ...place(x, 4), ...place(y, 4)],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: y.buffer, access: 'write' },
      { binding: 6, buffer: shift.weight, access: 'read' },
      { binding: 7, buffer: shift.bias, access: 'read' },
      { binding: 8, buffer: shift.kernel, access: 'read' },
    ],
    workgroups: [Math.ceil(x.width / 8), Math.ceil(x.height / 8), x.batch],
  };
}
