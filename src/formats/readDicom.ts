import { readDicomHeader } from './dicomHeader.ts';
import type { DicomHeader } from './dicomHeader.ts';
import { checkFrame, decodeFrame } from './dicomPixels.ts';
import { refusing } from './guard.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes } from './volume.ts';

/** One decoded frame of a DICOM file. */
export interface DicomSlice {
  readonly header: DicomHeader;
  /** Native units, [rows, columns]. */
  readonly data: Float32Array;
}

/**
 * Refuses what `decodeSlices` cannot decode, without decoding.
 *
 * @throws FormatError for multi-frame images, colour, unsupported bit depths and cut-short pixel data
 */
export function checkFrames(header: DicomHeader): void {
  if (header.frames !== 1) {
    throw new FormatError(
      `dicom: a multi-frame image (${header.frames} frames in one file) is not supported; export the series as one ` +
      'file per slice, or convert it to NIfTI (for example with dcm2niix)',
    );
  }
  checkFrame(header);
}

/**
 * Decodes the frames that a header announces.
 *
 * @throws FormatError as `checkFrames` does
 */
export function decodeSlices(header: DicomHeader): DicomSlice[] {
  checkFrames(header);
  return [{ header, data: refusing('dicom', () => decodeFrame(header)) }];
}

/**
 * Reads one DICOM file, with or without preamble, of an uncompressed transfer syntax.
 *
 * @throws FormatError where it holds no image or one that cannot be decoded
 */
export function readDicomFile(file: NamedBytes): DicomSlice[] {
  return decodeSlices(readDicomHeader(file));
}
