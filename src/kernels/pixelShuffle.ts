import shader from '../../shaders/pixelShuffle.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise, storedScalar } from './kernel.ts';

/** Pixel-shuffle, pixel-unshuffle (PyTorch's channel order) or a plain copy of x into the channels of y (concat). */
export function pixelShuffle<B>(
  rearrange: 'shuffle' | 'unshuffle' | 'copy', { x, y }: { x: View<B>; y: View<B> },
): Dispatch<B> {
  const unit = x.precision === 'packed' ? 2 : 1;
  const words = Math.ceil(((y.offset % unit) + y.lanes) / unit);
  return {
    label: `${rearrange} ${x.channels}`,
    code: specialise(shader, {
      SHUFFLE: rearrange === 'shuffle', UNSHUFFLE: rearrange === 'unshuffle', UNIT: unit, Stored: storedScalar(x),
    }),
    entryPoint: 'pixelShuffle',
    params: [y.height, y.width, y.channels, y.lanes, ...place(x, 1), ...place(y, 1)],
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: y.buffer, access: 'write' },
    ],
    workgroups: [Math.ceil((y.width * words) / 64), y.height, y.batch],
  };
}
