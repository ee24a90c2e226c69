import { inflateWhole } from '../gzip.ts';
import { FormatError } from '../volume.ts';
import type { Codec, DecodedFrame, EncodedFrame } from './codec.ts';
import { countSamples, interpret, unpackBits } from './frameSamples.ts';

function frameBytes(operation: string, frame: EncodedFrame): number {
  if (frame.samplesPerPixel !== 1) {
    throw new FormatError(
      `${operation}: ${frame.samplesPerPixel} samples per pixel are not supported here, expected 1; ` +
      'save the image as Explicit VR Little Endian',
    );
  }
  return Math.ceil(countSamples(operation, frame) * frame.bitsAllocated / 8);
}

function samplesOf(operation: string, frame: EncodedFrame, bytes: Uint8Array, needed: number): DecodedFrame {
  const { bitsAllocated, rows, columns } = frame;
  if (bytes.length < needed) {
    throw new FormatError(
      `${operation}: ${columns} × ${rows} pixels need ${needed} bytes, found ${bytes.length}; the file is cut short, ` +
      'export or copy it again',
    );
  }
  // The copy begins where words of any width may.
  const own = bytes.slice(0, needed);
  const raw = bitsAllocated <= 8 ? own : bitsAllocated === 16 ? new Uint16Array(own.buffer)
    : new Uint32Array(own.buffer);
  const samples = bitsAllocated === 1 ? unpackBits(own, rows * columns) : interpret(raw, bitsAllocated, frame, true);
  return { samples, samplesPerPixel: 1, rgb: false };
}

/**
 * Little-endian samples as they are (PS3.5, A.4.11), of greyscale images.
 *
 * @throws FormatError for colour and for frames that are cut short
 */
export const decodeUncompressed: Codec = (frame) =>
  samplesOf('encapsulated pixels', frame, frame.bytes, frameBytes('encapsulated pixels', frame));

/**
 * Each frame a raw DEFLATE stream of little-endian samples (PS3.5, A.4.13 and 8.2.16), of greyscale images.
 *
 * @throws FormatError for colour, for damaged streams, and for those that inflate to less or more than the frame
 */
export const decodeDeflated: Codec = (frame) => {
  const needed = frameBytes('deflated frame', frame);
  // A frame is padded to even length.
  return samplesOf('deflated frame', frame, inflateWhole(frame.bytes, needed + 1, 'deflated frame'), needed);
};
