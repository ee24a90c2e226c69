import shader from '../../shaders/conv.wgsl?raw';
import subgroupShader from '../../shaders/convSubgroups.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { lanesFor, pairsFor, place, specialise, storedScalar, storedVec2, storedVec4 } from './kernel.ts';
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
  const written = y.lanes === 1 ? scalars : rearrange === 'unshuffle' ? pairs : vectors;
  const { code, groups } = tiling(x, y, outputs / 4, written, variant);
  const input = x.lanes === 1 ? 1 : 4;
  return {
    label: `conv ${x.channels}→${channels}${rearrange === 'none' ? '' : ` ${rearrange}`}`,
    ...code,
    params: [
      x.height, x.width, Math.ceil(x.lanes / 4), outputs / 4, x.batch,
      Number(!!bias), Number(!!residual), Number(rearrange === 'shuffle'), outputs / 16, channels,
      ...place(x, input), ...place(residual ?? y, written.unit), ...place(y, written.unit),
    ],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias ?? weight, access: 'read' },
      { binding: 4, buffer: residual?.buffer ?? weight, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: groups,
  };
}

/** How results lie in memory: the snippet that writes them, the type of what it writes, and how many elements that holds. */
interface Written {
  readonly snippet: string;
  readonly lane: string;
  readonly stored: (y: View<unknown>) => string;
  readonly unit: 1 | 2 | 4;
}
const vectors: Written = { snippet: 'convVectors', lane: 'vec4f', stored: storedVec4, unit: 4 };
const pairs: Written = { snippet: 'convPairs', lane: 'vec2f', stored: storedVec2, unit: 2 };
const scalars: Written = { snippet: 'convScalars', lane: 'f32', stored: storedScalar, unit: 1 };

function tiling(
  x: View<unknown>, y: View<unknown>, vectorsOut: number, written: Written, variant: Variants['conv'],
): { code: Pick<Dispatch<unknown>, 'code' | 'entryPoint'>; groups: Dispatch<unknown>['workgroups'] } {
  const Input = x.lanes === 1 ? storedScalar(x) : storedVec4(x);
  const tile = { PIXELS: variant.pixels, Lane: written.lane, Stored: written.stored(y), Input };
  if (variant.subgroups && written === vectors && x.lanes > 1) {
    const pairs = pairsFor(vectorsOut, 6);
    const threads = x.batch * x.height * Math.ceil(x.width / variant.pixels);
    return {
      code: { code: specialise(subgroupShader, { ...tile, PAIRS: pairs }), entryPoint: 'throughSubgroups' },
      groups: [Math.ceil(threads / 64), Math.ceil(vectorsOut / 2 / pairs), 1],
    };
  }
  const from = shader.replace(`"lib/${vectors.snippet}.wgsl"`, `"lib/${written.snippet}.wgsl"`);
  return {
    code: { code: specialise(from, { ...tile, OUTPUTS: variant.outputs }), entryPoint: 'conv' },
    groups: [Math.ceil(x.width / variant.pixels / 64), x.height, x.batch * Math.ceil(vectorsOut / variant.outputs)],
  };
}
