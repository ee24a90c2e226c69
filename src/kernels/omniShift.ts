import shader from '../../shaders/omniShift.wgsl?raw';
import subgroupShader from '../../shaders/omniShiftSubgroups.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

/** Omni-Shift (eq. 11) as one merged depth-wise 5×5; kernel [5, 5, x.lanes], `turned` by 180° where that is said. */
export function omniShift<B>(
  { x, kernel, y, turned = false }: { x: View<B>; kernel: B; y: View<B>; turned?: boolean },
  variant: Variants['omniShift'],
): Dispatch<B> {
  const vectors = x.lanes / 4;
  const { pixels, rows } = variant;
  const across = Math.ceil(x.width / pixels);
  const Stored = storedVec4(x);
  const plain = rows === 1 || turned;
  return {
    label: `omniShift ${x.channels}${turned ? ' turned' : ''}`,
    code: plain ? specialise(shader, { PIXELS: pixels, TURNED: turned, Stored }) : specialise(subgroupShader, { PIXELS: pixels, ROWS: rows, Stored }),
    entryPoint: plain ? 'omniShift' : 'throughSubgroups',
    params: [x.height, x.width, vectors, ...place(x, 4), ...place(y, 4)],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: kernel, access: 'read' },
      { binding: 3, buffer: y.buffer, access: 'write' },
    ],
    workgroups: plain
      ? [Math.ceil((across * vectors) / 64), x.height, x.batch]
      : [Math.ceil(across / 8) * vectors, Math.ceil(x.height / rows), x.batch],
  };
}
