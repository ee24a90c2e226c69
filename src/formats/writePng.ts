import { encode } from 'fast-png';
import { FormatError } from './volume.ts';

/** A picture to save: grey in [0, 1], or RGBA bytes as shown on screen. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Float32Array [height, width] in [0, 1]; Uint8Array or Uint8ClampedArray [height, width, 4]. */
  readonly data: Float32Array | Uint8Array | Uint8ClampedArray;
}

/**
 * Encodes a PNG: grey values are rounded to the bit depth, clamped to [0, 1], NaN as 0; RGBA is written as it is.
 *
 * @param bitDepth bits per grey sample; RGBA bytes are always 8
 * @throws FormatError where the data does not have the picture's size
 */
export function writePng({ width, height, data }: Picture, bitDepth: 8 | 16 = 8): Uint8Array {
  const grey = data instanceof Float32Array;
  const channels = grey ? 1 : 4;
  if (!(width > 0 && height > 0) || data.length !== width * height * channels) {
    throw new FormatError(
      `png: ${width} × ${height} pixels need ${width * height * channels} values, found ${data.length}; ` +
      'pass a whole slice',
    );
  }
  if (!grey) return encode({ width, height, data, channels, depth: 8 });
  const white = 2 ** bitDepth - 1;
  const samples = bitDepth === 16 ? new Uint16Array(data.length) : new Uint8Array(data.length);
  data.forEach((value, index) => {
    samples[index] = Math.round(Math.min(1, Math.max(0, value || 0)) * white);
  });
  return encode({ width, height, data: samples, channels, depth: bitDepth });
}
