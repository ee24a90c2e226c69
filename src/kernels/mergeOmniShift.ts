import shader from '../../shaders/mergeOmniShift.wgsl?raw';
import type { Dispatch } from './kernel.ts';
import { specialise } from './kernel.ts';

/** The branches of Omni-Shift as checkpoints hold them, somewhere in buffers. */
export interface Branches<B> {
  /** [4] */
  readonly alpha: B;
  /** [channels, 1, k, k] */
  readonly conv1x1: B;
  readonly conv3x3: B;
  readonly conv5x5: B;
}

/** Eq. 11's branches as one depth-wise kernel [5, 5, channels], which training does anew in each step. */
export function mergeOmniShift<B>(
  { branches, channels, kernel }: { branches: Branches<B>; channels: number; kernel: B },
): Dispatch<B> {
  return {
    label: `mergeOmniShift ${channels}`,
    code: specialise(shader, {}),
    entryPoint: 'mergeOmniShift',
    params: [channels],
    bindings: [
      { binding: 1, buffer: branches.alpha, access: 'read' },
      { binding: 2, buffer: branches.conv1x1, access: 'read' },
      { binding: 3, buffer: branches.conv3x3, access: 'read' },
      { binding: 4, buffer: branches.conv5x5, access: 'read' },
      { binding: 5, buffer: kernel, access: 'write' },
    ],
    workgroups: [Math.ceil((25 * channels) / 64), 1, 1],
  };
}
