import { FormatError } from '../volume.ts';
import type { DecodedFrame, EncodedFrame } from './codec.ts';

/**
 * 8192 × 8192: more than any detector's picture. A compressed stream of a few bytes may declare any size, and the
 * decoders work with up to 12 bytes a sample.
 */
export const MAX_FRAME_SAMPLES = 2 ** 26;

/** What a compressed stream says of itself. */
export interface StreamHeader {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  /** Bits per sample. */
  readonly precision: number;
}

/**
 * Samples in the frame.
 *
 * @throws FormatError for sizes and depths that no frame can have
 */
export function countSamples(operation: string, frame: EncodedFrame): number {
  const { rows, columns, samplesPerPixel, bitsAllocated } = frame;
  const count = rows * columns * samplesPerPixel;
  if (!Number.isInteger(count) || !(count > 0) || count > MAX_FRAME_SAMPLES || !(samplesPerPixel <= 4)) {
    throw new FormatError(
      `${operation}: the header declares ${columns} × ${rows} pixels of ${samplesPerPixel} samples, expected 1 to ` +
      `${MAX_FRAME_SAMPLES} samples; export the image again`,
    );
  }
  if (![1, 8, 16, 32].includes(bitsAllocated) || (bitsAllocated === 1 && samplesPerPixel > 1)) {
    throw new FormatError(
      `${operation}: ${bitsAllocated} bits allocated per sample are not supported, expected 8, 16 or 32; ` +
      'convert the image to 16 bits',
    );
  }
  return count;
}

/**
 * Compares the stream's own header with DICOM's before a decoder trusts it.
 *
 * @returns samples in the frame
 * @throws FormatError where they disagree
 */
export function checkStream(operation: string, frame: EncodedFrame, stream: StreamHeader): number {
  const count = countSamples(operation, frame);
  const { rows, columns, samplesPerPixel, bitsAllocated } = frame;
  if (stream.columns !== columns || stream.rows !== rows || stream.components !== samplesPerPixel) {
    throw new FormatError(
      `${operation}: the compressed image is ${stream.columns} × ${stream.rows} with ${stream.components} ` +
      `component(s), the header declares ${columns} × ${rows} with ${samplesPerPixel}; export the image again`,
    );
  }
  if (stream.precision < 1 || stream.precision > bitsAllocated) {
    throw new FormatError(
      `${operation}: the compressed image has ${stream.precision} bits per sample, the header allocates ` +
      `${bitsAllocated}; export the image again`,
    );
  }
  return count;
}

type Samples = DecodedFrame['samples'];

function allocate(count: number, bitsAllocated: number, signed: boolean): Samples {
  if (bitsAllocated <= 8) return signed ? new Int8Array(count) : new Uint8Array(count);
  if (bitsAllocated <= 16) return signed ? new Int16Array(count) : new Uint16Array(count);
  return signed ? new Int32Array(count) : new Uint32Array(count);
}

/**
 * Reads decoded numbers as the DICOM header wants them: the low bits, extended by its Pixel Representation whatever
 * sign the stream declares (streams of signed data are often declared unsigned, and the other way round).
 *
 * @param precision bits per sample of the stream
 * @param exact the numbers are what was encoded: then bits above Bits Stored (0028,0101) are overlays or rubbish and
 *   are dropped; a lossy decoder's overshoot beyond them is kept instead, as it would wrap around
 */
export function interpret(
  values: ArrayLike<number>, precision: number, frame: EncodedFrame, exact: boolean,
): Samples {
  const { bitsAllocated, bitsStored, signed } = frame;
  const stored = bitsStored >= 1 && bitsStored <= bitsAllocated ? bitsStored : bitsAllocated;
  // Shifting the field to the top of a 32-bit word and back does masking and sign extension at once.
  const shift = 32 - (exact ? Math.min(precision, stored) : precision);
  const samples = allocate(values.length, bitsAllocated, signed);
  if (signed) {
    for (let index = 0; index < samples.length; index += 1) samples[index] = ((values[index] ?? 0) << shift) >> shift;
  } else {
    for (let index = 0; index < samples.length; index += 1) samples[index] = ((values[index] ?? 0) << shift) >>> shift;
  }
  return samples;
}

/** Single bits, the first in the lowest bit of each byte (PS3.5, section 8.1.1), one a sample. */
export function unpackBits(bytes: Uint8Array, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) samples[index] = ((bytes[index >> 3] ?? 0) >> (index & 7)) & 1;
  return samples;
}
