import shader from '../../shaders/conv.wgsl?raw';
import subgroupShader from '../../shaders/convSubgroups.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { lanesFor, pairsFor, place, specialise, storedScalar, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

/** How a convolution's output is rearranged on its way to memory. */
export type Rearrangement = 'none' | 'shuffle' | 'unshuffle';

export interface ConvArguments<B> {
  /** lanes 1 (an image) or a multiple of 4 */
  readonly x: View<B>;
  /** [3, 3, inputs, outputs], inputs and outputs padded to vec4s by `convOutputs` */
  readonly weight: B;
  readonly bias?: B | undefined;
  readonly residual?: View<B> | undefined;
  readonly y: View<B>;
  readonly rearrange: Rearrangement;
}

/**
 * How many output channels a convolution computes, with padding: for a shuffle each of the four sub-pixels is padded
 * on its own and they lie one after the other, so that four neighbours in y come from one vec4.
 *
 * @param channels the convolution's own output channels, before it is rearranged
 */
export const convOutputs = (channels: number, rearrange: Rearrangement): number =>
  rearrange === 'shuffle' ? 4 * lanesFor(channels / 4) : lanesFor(channels);

/**
 * 3×3 convolution with zero padding, then bias and either residual or pixel-(un)shuffle.
 *
 * @throws ShapeError where y is not what the rearrangement makes of x
 */
export function conv<B>(args: ConvArguments<B>, variant: Variants['conv']): Dispatch<B> {
  const { x, weight, bias, residual, y, rearrange } = args;
  const factor = rearrange === 'shuffle' ? 2 : rearrange === 'unshuffle' ? 0.5 : 1;
  if (y.height !== x.height * factor || y.width !== x.width * factor) {
    const [found, made] = [`${y.height}×${y.width}`, `${x.height * factor}×${x.width * factor}`];
    throw new ShapeError(`conv: ${x.height}×${x.width} with ${rearrange} gives ${made}, not ${found}`);
  }
  const channels = rearrange === 'shuffle' ? 4 * y.channels : rearrange === 'unshuffle' ? y.channels / 4 : y.channels;
  const outputs = convOutputs(channels, rearrange);
  if (variant.subgroups && x.half === y.half && x.lanes > 1 && y.lanes > 1 && !residual && rearrange !== 'unshuffle') {
    return throughSubgroups({ ...args, outputs, channels }, variant);
  }
  const written = rearrange === 'none' ? y.lanes : rearrange === 'shuffle' ? outputs : channels;
  const scalar = x.lanes === 1;
  const groups = Math.ceil(outputs / 4 / variant.outputs);
  return {
    label: `conv ${x.channels}→${channels}${rearrange === 'none' ? '' : ` ${rearrange}`}`,
    code: specialise(shader, {
      Input: scalar ? 'f32' : storedVec4(x), Output: storedScalar(y), Added: storedScalar(residual ?? y),
      PIXELS: variant.pixels, OUTPUTS: variant.outputs,
    }),
    entryPoint: 'conv',
    params: [
      x.height, x.width, Math.ceil(x.lanes / 4), outputs / 4,
      Number(!!bias), Number(!!residual), Number(rearrange === 'shuffle'), Number(rearrange === 'unshuffle'),
      written, outputs / 4,
      ...place(x, scalar ? 1 : 4), ...place(residual ?? y, 1), ...place(y, 1),
    ],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias ?? weight, access: 'read' },
      { binding: 4, buffer: residual?.buffer ?? weight, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(x.width / variant.pixels / 64), x.height, x.batch * groups],
  };
}

function throughSubgroups<B>(
  { x, weight, bias, y, rearrange, outputs, channels }: ConvArguments<B> & { readonly outputs: number; readonly channels: number },
  variant: Variants['conv'],
): Dispatch<B> {
  const pairs = pairsFor(outputs / 4, 6);
  const threads = x.batch * x.height * Math.ceil(x.width / variant.pixels);
  return {
    label: `conv ${x.channels}→${channels}${rearrange === 'none' ? '' : ` ${rearrange}`}`,
    code: specialise(subgroupShader, { PIXELS: variant.pixels, PAIRS: pairs, Stored: storedVec4(x) }),
    entryPoint: 'throughSubgroups',
    params: [
      x.height, x.width, x.lanes / 4, outputs / 4, Number(!!bias), Number(rearrange === 'shuffle'), outputs / 16, x.batch,
      ...place(x, 4), ...place(y, 4),
    ],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias ?? weight, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(threads / 64), Math.ceil(outputs / 8 / pairs), 1],
  };
}
