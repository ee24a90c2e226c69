import shader from '../../shaders/layerNorm.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

/** Layer norm over channels with eps 1e-5; weight and bias [x.lanes], zero in padding channels. */
export function layerNorm<B>(
  { x, weight, bias, y }: { x: View<B>; weight: B; bias: B; y: View<B> }, variant: Variants['layerNorm'],
): Dispatch<B> {
  const tokens = pixelsOf(x);
  const groups = Math.ceil(tokens / (64 / variant.lanes));
  return {
    label: `layerNorm ${x.channels}`,
    code: specialise(shader, { LANES: variant.lanes, Stored: storedVec4(x) }),
    entryPoint: 'normalise',
    params: [tokens, x.lanes / 4, x.channels, ...place(x, 4), ...place(y, 4)],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias, access: 'read' },
      { binding: 4, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.min(groups, 65535), Math.ceil(groups / 65535), 1],
  };
}
