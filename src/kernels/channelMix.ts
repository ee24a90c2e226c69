import shader from '../../shaders/channelMix.wgsl?raw';
import subgroupShader from '../../shaders/channelMixSubgroups.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise, storedVec4 } from './kernel.ts';
import type { ShiftWeights } from './shiftedNorm.ts';
import type { Variants } from './variants.ts';

export interface ChannelMixArguments<B> {
  /** Shifted tokens, or with `shift` what they are made of. */
  readonly x: View<B>;
  readonly shift?: ShiftWeights<B> | undefined;
  /** Receptance and key side by side, [x.lanes, x.lanes + hidden], zero in padding rows and columns. */
  readonly inward: B;
  /** Value, scaled by gamma, [hidden, y.lanes]. */
  readonly outward: B;
  /** Lanes of the hidden channels. */
  readonly hidden: number;
  readonly residual?: View<B> | undefined;
  readonly y: View<B>;
}

/** Vec4s of channels that a tile can hold: for wider layers the hidden channels go through memory. */
export const CHANNEL_MIX_WIDEST: Readonly<Record<NonNullable<Variants['channelMix']>['entryPoint'], number>> = {
  throughWorkgroup: 24,
  throughSubgroups: 6,
};

/** The same with layer norm and Omni-Shift. */
export const SHIFTED_MIX_WIDEST = 6;

/**
 * Channel mix (eqs. 5–7): y = sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual.
 *
 * @throws ShapeError where residual or y differ from x in pixels, or where x is too wide to be shifted too
 */
export function channelMix<B>(args: ChannelMixArguments<B>, variant: NonNullable<Variants['channelMix']>): Dispatch<B> {
  const { x, shift, inward, outward, hidden, residual, y } = args;
  const tokens = pixelsOf(x);
  for (const other of [residual, y]) {
    if (other && pixelsOf(other) !== tokens) {
      throw new ShapeError(`channelMix: ${pixelsOf(other)} pixels meet ${tokens} pixels of x; they must be the same`);
    }
  }
  const vectors = x.lanes / 4;
  if (shift && vectors > SHIFTED_MIX_WIDEST) {
    throw new ShapeError(`channelMix: ${x.channels} channels to be shifted; a tile holds at most ${4 * SHIFTED_MIX_WIDEST}`);
  }
  const { code, perGroup } = shift ? shiftedTiling(x) : tiling(x, variant);
  return {
    label: `${shift ? 'shiftedMix' : 'channelMix'} ${x.channels}`,
    code,
    entryPoint: shift ? 'throughWorkgroup' : variant.entryPoint,
    params: [
      tokens, vectors, hidden / 4, Number(!!residual), ...place(x, 4), ...place(residual ?? x, 4), ...place(y, 4),
      x.height, x.width, x.channels,
    ],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: inward, access: 'read' },
      { binding: 3, buffer: outward, access: 'read' },
      { binding: 4, buffer: residual?.buffer ?? x.buffer, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
      ...(shift ? [
        { binding: 6, buffer: shift.weight, access: 'read' },
        { binding: 7, buffer: shift.bias, access: 'read' },
        { binding: 8, buffer: shift.kernel, access: 'read' },
      ] as const : []),
    ],
    workgroups: shift ? [Math.ceil(x.width / 8), Math.ceil(x.height / 8), x.batch] : [Math.ceil(tokens / perGroup), 1, 1],
  };
}

/** A tile of 8 × 8 pixels. */
function shiftedTiling(x: View<unknown>): { code: string; perGroup: number } {
  const shifted = shader.replace('"lib/tokenTile.wgsl"', '"lib/shiftedTile.wgsl"');
  const code = specialise(shifted, { VECTORS: x.lanes / 4, TOKENS: 8, OUTPUTS: 1, Stored: storedVec4(x) });
  return { code, perGroup: 64 };
}

/** What WebGPU promises of workgroup memory. */
const WORKGROUP_BYTES = 16384;

function tiling(x: View<unknown>, variant: NonNullable<Variants['channelMix']>): { code: string; perGroup: number } {
  const vectors = x.lanes / 4;
  const Stored = storedVec4(x);
  if (variant.entryPoint === 'throughSubgroups') {
    // Wider tokens leave registers for fewer of them.
    const tokens = Math.max(1, Math.min(variant.tokens, Math.floor(24 / vectors)));
    return { code: specialise(subgroupShader, { TOKENS: tokens, PAIRS: Math.ceil(vectors / 2), Stored }), perGroup: 64 * tokens };
  }
  const tokens = Math.min(variant.tokens, Math.floor(WORKGROUP_BYTES / 16 / 8 / (vectors + 8)));
  const code = specialise(shader, { VECTORS: vectors, TOKENS: tokens, OUTPUTS: Math.ceil(vectors / 8), Stored });
  return { code, perGroup: 8 * tokens };
}
