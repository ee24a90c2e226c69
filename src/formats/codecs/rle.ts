import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';
import { countSamples, interpret, unpackBits } from './frameSamples.ts';

const HEADER = 64;

/** PackBits into `target` at every `stride`-th place; bytes beyond the last place are padding. */
function unpackSegment(source: Uint8Array, target: Uint8Array, first: number, stride: number): void {
  let to = first;
  for (let at = 0; to < target.length;) {
    const control = source[at];
    if (control === undefined) {
      throw new FormatError('rle: a segment ends before its last pixel; the file is cut short, export it again');
    }
    at += 1;
    if (control < 128) {
      const end = at + control + 1;
      if (end > source.length) {
        throw new FormatError('rle: a run goes past its segment; the file is damaged, export or copy it again');
      }
      for (; at < end && to < target.length; at += 1, to += stride) target[to] = source[at] ?? 0;
      at = end;
    } else if (control > 128) {
      const value = source[at] ?? 0;
      if (at >= source.length) {
        throw new FormatError('rle: a run goes past its segment; the file is damaged, export or copy it again');
      }
      at += 1;
      for (let left = 257 - control; left > 0 && to < target.length; left -= 1, to += stride) target[to] = value;
    }
  }
}

/**
 * RLE Lossless (PS3.5, annex G): one PackBits segment for each byte of each sample, the most significant first.
 *
 * @throws FormatError where the segment table contradicts the header, leaves the frame, or a segment is cut short
 */
export const decodeRle: Codec = (frame) => {
  const { bytes, bitsAllocated, samplesPerPixel, rows, columns } = frame;
  const count = countSamples('rle', frame);
  const pixels = rows * columns;
  const width = Math.max(1, bitsAllocated / 8);
  const segments = samplesPerPixel * width;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = bytes.length >= HEADER ? view.getUint32(0, true) : 0;
  if (found !== segments || segments > 15) {
    throw new FormatError(
      `rle: found ${found} segments, expected ${segments} for ${samplesPerPixel} sample(s) of ${bitsAllocated} bits; ` +
      'the file is damaged, export it again',
    );
  }
  const starts = Array.from({ length: segments }, (_, index) => view.getUint32(4 + 4 * index, true));
  const ends = [...starts.slice(1), bytes.length];
  starts.forEach((start, index) => {
    if (start < HEADER || start >= (ends[index] ?? 0) || (ends[index] ?? 0) > bytes.length) {
      throw new FormatError(
        `rle: segment ${index + 1} begins at byte ${start} of ${bytes.length}; the file is damaged or cut short, ` +
        'export or copy it again',
      );
    }
  });
  // Two bytes give at most 128: a longer image cannot be there, and is not allocated.
  const size = bitsAllocated === 1 ? Math.ceil(pixels / 8) : pixels;
  if (bytes.length * 64 < size * segments) {
    throw new FormatError(
      `rle: ${bytes.length} bytes cannot hold ${columns} × ${rows} pixels; the file is cut short, export it again`,
    );
  }
  const words = new Uint8Array(size * segments);
  starts.forEach((start, index) => {
    const sample = Math.floor(index / width);
    const place = width - 1 - index % width;
    unpackSegment(bytes.subarray(start, ends[index]), words, sample * width + place, segments);
  });
  const raw = bitsAllocated <= 8 ? words : bitsAllocated === 16 ? new Uint16Array(words.buffer)
    : new Uint32Array(words.buffer);
  const samples = bitsAllocated === 1 ? unpackBits(words, count) : interpret(raw, bitsAllocated, frame, true);
  return { samples, samplesPerPixel, rgb: false };
};
