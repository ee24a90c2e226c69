import { ShapeError } from '../model/ops.ts';
import { imageShape, show, zeros, type Float64Image } from './float64Image.ts';

/**
 * [N, H, W, 4C] → [N, 2H, 2W, C] in PyTorch's channel order: y[n, 2h + i, 2w + j, c] = x[n, h, w, 4c + 2i + j].
 * A permutation, so its gradient is its inverse, pixelUnshuffle of the output's gradient, and the other way round.
 *
 * @throws ShapeError if the channels are no multiple of 4
 */
export function pixelShuffle(x: Float64Image): Float64Image {
  const [n, h, w, channels] = imageShape('pixelShuffle', x);
  if (channels % 4 !== 0) {
    throw new ShapeError(`pixelShuffle: channels must be a multiple of 4, found ${show(x.shape)}`);
  }
  const y = zeros([n, 2 * h, 2 * w, channels / 4]);
  forEachPair(n, h, w, channels / 4, (packed, spread) => (y.data[spread] = x.data[packed]));
  return y;
}

/**
 * [N, 2H, 2W, C] → [N, H, W, 4C], the inverse of pixelShuffle.
 *
 * @throws ShapeError if height or width is odd
 */
export function pixelUnshuffle(x: Float64Image): Float64Image {
  const [n, h, w, c] = imageShape('pixelUnshuffle', x);
  if (h % 2 !== 0 || w % 2 !== 0) {
    throw new ShapeError(`pixelUnshuffle: height and width must be even, found ${show(x.shape)}`);
  }
  const y = zeros([n, h / 2, w / 2, 4 * c]);
  forEachPair(n, h / 2, w / 2, c, (packed, spread) => (y.data[packed] = x.data[spread]));
  return y;
}

/** Visits the offsets that correspond in [n, h, w, 4c] (packed) and [n, 2h, 2w, c] (spread). */
function forEachPair(
  n: number, h: number, w: number, c: number, visit: (packed: number, spread: number) => void,
): void {
  let packed = 0;
  for (let row = 0; row < n * h; row++) {
    for (let column = 0; column < w; column++) {
      for (let channel = 0; channel < c; channel++) {
        for (let i = 0; i < 2; i++) {
          for (let j = 0; j < 2; j++) visit(packed++, ((2 * row + i) * 2 * w + 2 * column + j) * c + channel);
        }
      }
    }
  }
}
