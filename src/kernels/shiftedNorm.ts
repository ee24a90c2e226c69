import shader from '../../shaders/shiftedNorm.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise, storedVec4 } from './kernel.ts';

/** Of a layer norm and the Omni-Shift after it. */
export interface ShiftWeights<B> {
  /** Of the layer norm, [x.lanes], zero in padding channels. */
  readonly weight: B;
  readonly bias: B;
  /** Of the merged Omni-Shift, [5, 5, x.lanes] */
  readonly kernel: B;
}

/** Omni-Shift (eq. 11) of the layer norm over channels of x, eps 1e-5. */
export function shiftedNorm<B>({ x, shift, y }: { x: View<B>; shift: ShiftWeights<B>; y: View<B> }): Dispatch<B> {
  return {
    label: `shiftedNorm ${x.channels}`,
    code: specialise(shader, { Stored: storedVec4(x) }),
    entryPoint: 'throughWorkgroup',
    params: [x.height, x.width, x.lanes / 4, x.channels, ...place(x, 4), ...place(y, 4)],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: shift.weight, access: 'read' },
      { binding: 3, buffer: shift.bias, access: 'read' },
      { binding: 4, buffer: shift.kernel, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(x.width / 8), Math.ceil(x.height / 8), x.batch],
  };
}
