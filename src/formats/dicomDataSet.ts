import * as dicomParser from 'dicom-parser';
import type { DataSet } from 'dicom-parser';
import { plainText, refusing } from './guard.ts';
import { inflateWhole } from './gzip.ts';
import { IMPLICIT_LITTLE_ENDIAN, transferSyntax } from './transferSyntaxes.ts';
import type { TransferSyntax } from './transferSyntaxes.ts';

/** A parsed data set, up to and with the place of its pixel data. */
export interface DicomDataSet {
  readonly dataSet: DataSet;
  /** What the data set's offsets point into: the file, or its inflated form. */
  readonly bytes: Uint8Array;
  readonly syntax: TransferSyntax;
  /** SOP Class UID (0008,0016). */
  readonly sopClass: string;
  /** Whether parsing reached the pixel data or the file's end; false: what follows the elements read is damaged. */
  readonly complete: boolean;
}

/** A deflated data set is one image's header and pixels; larger ones are refused. */
const DEFLATED_CAP = 2 ** 28;
const PIXEL_DATA = 'x7fe00010';
const VALUE_REPRESENTATIONS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '),
);

const hasPrefix = (bytes: Uint8Array): boolean =>
  bytes.length >= 132 && String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM';

/** Whether the element at `at` spells out its value representation. */
function looksExplicit(bytes: Uint8Array, at: number): boolean {
  return VALUE_REPRESENTATIONS.has(String.fromCharCode(...bytes.subarray(at + 4, at + 6)));
}

/**
 * Whether the content is DICOM: "DICM" after the preamble (PS3.10, section 7.1) or, without one, a data set that
 * begins in group 0002 or 0008 with a plausible first element.
 */
export function isDicom(bytes: Uint8Array): boolean {
  if (hasPrefix(bytes)) return true;
  if (bytes.length < 16) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const group = view.getUint16(0, true);
  if ((group !== 2 && group !== 8) || view.getUint16(2, true) > 0x0100) return false;
  return looksExplicit(bytes, 0) || view.getUint32(4, true) < Math.min(bytes.length, 1024);
}

/** The data set's position and transfer syntax; without file meta information, what its first element looks like. */
function locate(bytes: Uint8Array): { start: number; syntax: TransferSyntax } {
  const prefixed = hasPrefix(bytes);
  const stream = new dicomParser.ByteStream(dicomParser.littleEndianByteArrayParser, bytes, prefixed ? 132 : 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let uid = '';
  while (stream.position + 8 <= bytes.length && view.getUint16(stream.position, true) === 2) {
    // Always explicit little endian, whatever follows; its group length (0002,0000) is often wrong and not relied on.
    const element = dicomParser.readDicomElementExplicit(stream, []);
    if (element.tag === 'x00020010') {
      uid = plainText(dicomParser.readFixedString(bytes, element.dataOffset, Math.min(element.length, 64)), 64);
    }
  }
  const start = stream.position;
  const declared = transferSyntax(uid || IMPLICIT_LITTLE_ENDIAN);
  if (declared.deflated) return { start, syntax: declared };
  // Some writers declare one and write the other; the bytes themselves decide. Where they look like neither (a value
  // representation that does not exist), the declaration stands.
  const implicit = start + 8 <= bytes.length && view.getUint32(start + 4, declared.littleEndian) < bytes.length - start;
  const explicit = looksExplicit(bytes, start) || (declared.explicit && !implicit);
  return { start, syntax: { ...declared, explicit } };
}

/**
 * Parses a DICOM file's data set up to its pixel data; what follows the pixel data is not looked at.
 *
 * @throws FormatError where the data set is damaged
 */
export function parseDicomDataSet(file: Uint8Array): DicomDataSet {
  return refusing('dicom', () => {
    const { start, syntax } = locate(file);
    const bytes = syntax.deflated ? inflateWhole(file.subarray(start), DEFLATED_CAP, 'dicom') : file;
    const parser = syntax.littleEndian ? dicomParser.littleEndianByteArrayParser : dicomParser.bigEndianByteArrayParser;
    const stream = new dicomParser.ByteStream(parser, bytes, syntax.deflated ? 0 : start);
    const dataSet = emptyDataSet(bytes, parser);
    const options = { untilTag: PIXEL_DATA };
    let complete = true;
    try {
      if (syntax.explicit) dicomParser.parseDicomDataSetExplicit(dataSet, stream, bytes.length, options);
      else dicomParser.parseDicomDataSetImplicit(dataSet, stream, bytes.length, options);
    } catch (error) {
      // Trailing rubbish after complete elements is common; whether enough was read is for the caller to see.
      if (Object.keys(dataSet.elements).length < 2) throw error;
      complete = false;
    }
    return { dataSet, bytes, syntax, sopClass: text(dataSet, 'x00080016'), complete };
  });
}

/** dicom-parser makes data sets only by parsing; a meta header alone gives an empty one to fill. */
function emptyDataSet(bytes: Uint8Array, parser: dicomParser.ByteArrayParser): DataSet {
  const blank = new Uint8Array(132);
  blank.set([0x44, 0x49, 0x43, 0x4d], 128);
  const dataSet = dicomParser.readPart10Header(blank);
  dataSet.byteArray = bytes;
  dataSet.byteArrayParser = parser;
  dataSet.warnings = [];
  return dataSet;
}

/** A string element (UI, CS, LO, SH), printable and trimmed; '' where absent. */
export function text(dataSet: DataSet, tag: string): string {
  return plainText(shortString(dataSet, tag), 128);
}

/** Elements of these kinds hold a few dozen characters; a forged length is not worth reading. */
function shortString(dataSet: DataSet, tag: string): string {
  const length = dataSet.elements[tag]?.length ?? 0;
  return length > 1024 ? '' : dataSet.string(tag) ?? '';
}

/** All numbers of a decimal string element (DS, IS); null where absent, short of `count` or not finite. */
export function decimals(dataSet: DataSet, tag: string, count: number): number[] | null {
  const values = shortString(dataSet, tag).split('\\').slice(0, count).map((part) =>
    part.trim() === '' ? Number.NaN : Number(part.replace(',', '.')));
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

/** One decimal string, or `otherwise` where absent or unreadable. */
export function decimal(dataSet: DataSet, tag: string, otherwise: number): number {
  return decimals(dataSet, tag, 1)?.[0] ?? otherwise;
}
