import { CHANNEL_MIX_WIDEST, SHIFTED_MIX_WIDEST } from '../kernels/channelMix.ts';
import { SHIFTED_LINEAR_WIDEST } from '../kernels/shiftedLinear.ts';
import type { Variants } from '../kernels/variants.ts';
import type { Fusion } from './fuse.ts';

/** What the kernels of these tile shapes can do in one dispatch. */
export const fusionFor = ({ channelMix, shift }: Variants): Fusion => ({
  shiftedNorm: shift !== 'apart',
  channelMix: channelMix ? 4 * CHANNEL_MIX_WIDEST[channelMix.entryPoint] : 0,
  shift: shift === 'fused' ? { linear: 4 * SHIFTED_LINEAR_WIDEST, channelMix: 4 * SHIFTED_MIX_WIDEST } : { linear: 0, channelMix: 0 },
});
