import shader from '../../shaders/elementwise.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise, storedVec4 } from './kernel.ts';

export type Elementwise = 'add' | 'mul' | 'scale' | 'sigmoid' | 'squaredRelu';

/** y = a + b, a ⊙ b, a ⊙ scale [lanes], sigmoid(a) or relu(a)²: what fusion leaves over. */
export function elementwise<B>(
  operation: Elementwise, { a, b, scale, y }: { a: View<B>; b?: View<B>; scale?: B; y: View<B> },
): Dispatch<B> {
  const tokens = pixelsOf(a);
  return {
    label: `${operation} ${a.channels}`,
    code: specialise(shader, {
      ADD: operation === 'add', MUL: operation === 'mul', SCALE: operation === 'scale', SIGMOID: operation === 'sigmoid',
      Stored: storedVec4(a),
    }),
    entryPoint: 'elementwise',
    params: [tokens, y.lanes / 4, ...place(a, 4), ...(b ? place(b, 4) : [0, 0]), ...place(y, 4)],
    bindings: [
      { binding: 1, buffer: a.buffer, access: 'read' },
      { binding: 2, buffer: b?.buffer ?? a.buffer, access: 'read' },
      { binding: 3, buffer: scale ?? a.buffer, access: 'read' },
      { binding: 4, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(tokens / 64), y.lanes / 4, 1],
  };
}
