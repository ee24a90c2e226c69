import { frameBytes } from './dicomLayout.ts';
import type { PixelLayout } from './dicomLayout.ts';

/** Samples as they are stored, interleaved by pixel or by plane. */
export type Samples =
  | Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

const LITTLE_ENDIAN_MACHINE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The samples of one native frame, over the file's own bytes where these are aligned and in the machine's order.
 *
 * @param layout of samples that the caller has found to lie within `bytes`
 */
export function nativeSamples(bytes: Uint8Array, layout: PixelLayout, frame: number): Samples {
  const { element, bitsAllocated, littleEndian } = layout;
  const size = frameBytes(layout);
  if (bitsAllocated === 1) return unpackBits(bytes, element.dataOffset, frame * size * 8, size * 8);
  const width = bitsAllocated / 8;
  const start = element.dataOffset + frame * size;
  // Big-endian bytes that were written as words lie swapped in pairs, counted from the pixel data's beginning.
  if (width === 1 && !littleEndian && element.vr === 'OW') {
    const swapped = new Uint8Array(size);
    for (let index = 0; index < size; index += 1) {
      swapped[index] = bytes[element.dataOffset + ((frame * size + index) ^ 1)] ?? 0;
    }
    return layout.signed ? new Int8Array(swapped.buffer) : swapped;
  }
  const inOrder = width === 1 || littleEndian === LITTLE_ENDIAN_MACHINE;
  const aligned = (bytes.byteOffset + start) % width === 0;
  const own = inOrder && aligned ? bytes.subarray(start, start + size) : bytes.slice(start, start + size);
  if (!inOrder) reverseEach(own, width);
  return typed(own, layout);
}

/** The same bytes as numbers; their beginning is aligned. */
function typed({ buffer, byteOffset, length }: Uint8Array, { kind, bitsAllocated, signed }: PixelLayout): Samples {
  if (kind === 'float32') return new Float32Array(buffer, byteOffset, length / 4);
  if (kind === 'float64') return new Float64Array(buffer, byteOffset, length / 8);
  switch (bitsAllocated) {
    case 8: return signed ? new Int8Array(buffer, byteOffset, length) : new Uint8Array(buffer, byteOffset, length);
    case 16: return signed
      ? new Int16Array(buffer, byteOffset, length / 2) : new Uint16Array(buffer, byteOffset, length / 2);
    default: return signed
      ? new Int32Array(buffer, byteOffset, length / 4) : new Uint32Array(buffer, byteOffset, length / 4);
  }
}

function reverseEach(bytes: Uint8Array, width: number): void {
  for (let start = 0; start + width <= bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

/** Single bits, the first in the lowest bit of each byte; frames follow each other without a gap (PS3.5, 8.1.1). */
function unpackBits(bytes: Uint8Array, offset: number, first: number, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    const bit = first + index;
    samples[index] = ((bytes[offset + (bit >> 3)] ?? 0) >> (bit & 7)) & 1;
  }
  return samples;
}

/**
 * Shifts that leave the stored field of a sample, `bitsStored` bits below `highBit`, sign-extended where the
 * representation is signed, and drop whatever lies in the other bits (overlays, rubbish; PS3.5, section 8.1.1).
 */
export interface StoredBits {
  readonly up: number;
  readonly down: number;
  readonly signed: boolean;
}

/** null where every allocated bit counts, also where bits stored and high bit contradict the allocation. */
export function storedBits({ kind, bitsAllocated, bitsStored, highBit, signed }: PixelLayout): StoredBits | null {
  const sound = kind === 'integer' && bitsStored >= 1 && bitsStored < bitsAllocated && highBit >= bitsStored - 1
    && highBit < bitsAllocated;
  return sound ? { up: 31 - highBit, down: 32 - bitsStored, signed } : null;
}

/** Samples with only their stored bits, as new numbers. */
export function keepStoredBits(samples: Samples, { up, down, signed }: StoredBits): Int32Array | Uint32Array {
  const kept = signed ? new Int32Array(samples.length) : new Uint32Array(samples.length);
  if (signed) for (let index = 0; index < kept.length; index += 1) kept[index] = ((samples[index] ?? 0) << up) >> down;
  else for (let index = 0; index < kept.length; index += 1) kept[index] = ((samples[index] ?? 0) << up) >>> down;
  return kept;
}
