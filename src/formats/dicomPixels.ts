import type { DicomHeader, DicomPixels } from './dicomHeader.ts';
import { FormatError } from './volume.ts';

const MONOCHROME = new Set(['MONOCHROME1', 'MONOCHROME2']);

function sampleBits({ kind, bitsAllocated }: DicomPixels): number {
  if (kind === 'float32') return 32;
  if (kind === 'float64') return 64;
  if (bitsAllocated === 8 || bitsAllocated === 16 || bitsAllocated === 32) return bitsAllocated;
  throw new FormatError(
    `dicom: ${bitsAllocated} bits allocated per sample are not supported, expected 8, 16 or 32; ` +
    'convert the image to 16 bits',
  );
}

/**
 * Reads one stored integer: `bitsStored` bits below `highBit`, sign-extended where the representation is signed;
 * whatever lies in the other bits (overlays, rubbish) is dropped (PS3.5, section 8.1.1).
 */
function integerSample(pixels: DicomPixels, view: DataView): (index: number) => number {
  const { bitsAllocated, littleEndian, offset, signed } = pixels;
  // Bits stored and high bit that contradict the allocation are ignored: then every allocated bit counts.
  const sound = pixels.bitsStored >= 1 && pixels.bitsStored <= bitsAllocated
    && pixels.highBit >= pixels.bitsStored - 1 && pixels.highBit < bitsAllocated;
  const bitsStored = sound ? pixels.bitsStored : bitsAllocated;
  const lowest = sound ? pixels.highBit + 1 - bitsStored : 0;
  const raw = bitsAllocated === 8 ? (index: number) => view.getUint8(offset + index)
    : bitsAllocated === 16 ? (index: number) => view.getUint16(offset + 2 * index, littleEndian)
      : (index: number) => view.getUint32(offset + 4 * index, littleEndian);
  // Shifting the field to the top of a 32-bit word and back does masking and sign extension at once.
  const up = 32 - bitsStored - lowest;
  const down = 32 - bitsStored;
  return signed ? (index) => (raw(index) << up) >> down : (index) => (raw(index) << up) >>> down;
}

/**
 * Refuses a frame that `decodeFrame` cannot decode.
 *
 * @throws FormatError for colour, unsupported bit depths and cut-short pixel data
 */
export function checkFrame(header: DicomHeader): void {
  const { pixels, columns, rows } = header;
  if (pixels.samplesPerPixel !== 1 || !MONOCHROME.has(pixels.photometric)) {
    throw new FormatError(
      `dicom: images in colour (${pixels.photometric}) are not supported; expected MONOCHROME1 or MONOCHROME2, ` +
      'open a CT, MR or PET series or export the image as PNG',
    );
  }
  const needed = columns * rows * (sampleBits(pixels) / 8);
  const available = Math.min(pixels.length, pixels.bytes.length - pixels.offset);
  if (available < needed) {
    throw new FormatError(
      `dicom: ${columns} × ${rows} pixels need ${needed} bytes, found ${available}; the file is cut short, ` +
      'export or copy it again',
    );
  }
}

/**
 * Decodes a native (uncompressed) greyscale frame into native units: rescale slope · stored value + intercept.
 * MONOCHROME1 is a matter of display; values stay as they are, and so does pixel padding.
 *
 * @returns float32 [rows, columns]
 * @throws FormatError as `checkFrame` does
 */
export function decodeFrame(header: DicomHeader): Float32Array {
  checkFrame(header);
  const { pixels } = header;
  const view = new DataView(pixels.bytes.buffer, pixels.bytes.byteOffset, pixels.bytes.byteLength);
  const { offset, littleEndian, kind } = pixels;
  const sample = kind === 'float32' ? (index: number) => view.getFloat32(offset + 4 * index, littleEndian)
    : kind === 'float64' ? (index: number) => view.getFloat64(offset + 8 * index, littleEndian)
      : integerSample(pixels, view);
  const data = new Float32Array(header.rows * header.columns);
  for (let index = 0; index < data.length; index += 1) {
    data[index] = sample(index) * header.rescaleSlope + header.rescaleIntercept;
  }
  return data;
}
