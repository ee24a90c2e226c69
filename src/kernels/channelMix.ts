import shader from '../../shaders/channelMix.wgsl?raw';
import subgroupShader from '../../shaders/channelMixSubgroups.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

export interface ChannelMixArguments<B> {
  /** Shifted tokens. */
  readonly x: View<B>;
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

/**
 * Channel mix (eqs. 5–7) without its layer norm and Omni-Shift: y = sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual.
 *
 * @throws ShapeError where residual or y differ from x in pixels
 */
export function channelMix<B>(args: ChannelMixArguments<B>, variant: NonNullable<Variants['channelMix']>): Dispatch<B> {
  const { x, inward, outward, hidden, residual, y } = args;
  const tokens = pixelsOf(x);
  for (const other of [residual, y]) {
    if (other && pixelsOf(other) !== tokens) {
      throw new ShapeError(`channelMix: ${pixelsOf(other)} pixels meet ${tokens} pixels of x; they must be the same`);
    }
  }
  const vectors = x.lanes / 4;
  const { code, perGroup } = tiling(x, variant);
  return {
    label: `channelMix ${x.channels}`,
    code,
    entryPoint: variant.entryPoint,
    params: [
      tokens, vectors, hidden / 4, Number(!!residual), ...place(x, 4), ...place(residual ?? x, 4), ...place(y, 4),
    ],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: inward, access: 'read' },
      { binding: 3, buffer: outward, access: 'read' },
      { binding: 4, buffer: residual?.buffer ?? x.buffer, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil(tokens / perGroup), 1, 1],
  };
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
