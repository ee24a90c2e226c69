import { CHANNEL_MIX_WIDEST } from '../kernels/channelMix.ts';
import type { Variants } from '../kernels/variants.ts';
import type { Fusion } from './fuse.ts';

/** What the kernels of these tile shapes can do in one dispatch. */
export const fusionFor = ({ channelMix, shiftedNorm }: Variants): Fusion => ({
  shiftedNorm,
  channelMix: channelMix ? 4 * CHANNEL_MIX_WIDEST[channelMix.entryPoint] : 0,
});
