import type { DataSet } from 'dicom-parser';
import { readElements } from './dicomElements.ts';
import type { ElementRun } from './dicomElements.ts';
import { plainText, refusing } from './guard.ts';
import { inflateWhole } from './gzip.ts';
import { IMPLICIT_LITTLE_ENDIAN, transferSyntax } from './transferSyntaxes.ts';
import type { TransferSyntax } from './transferSyntaxes.ts';

/** A parsed data set, up to its pixel data. */
export interface DicomDataSet {
  readonly elements: ElementRun;
  readonly dataSet: DataSet;
  /** The file meta information (group 0002); null where the file has none. */
  readonly meta: ElementRun | null;
  /** What the data set's offsets point into: the file, or its inflated form. */
  readonly bytes: Uint8Array;
  /** Where the data set begins in `bytes`. */
  readonly start: number;
  readonly syntax: TransferSyntax;
  /** SOP Class UID (0008,0016). */
  readonly sopClass: string;
  /** Whether reading reached the pixel data or the file's end; false: what follows the elements read is damaged. */
  readonly complete: boolean;
  /** How many bytes of the file would tell more, where these are its head only; 0: no more are needed. */
  readonly wanted: number;
}

/** A deflated data set is one image's header and pixels; larger ones are refused. */
const DEFLATED_CAP = 2 ** 28;
/** Pixel Data, Float Pixel Data, Double Float Pixel Data. */
const PIXEL_DATA = new Set([0x7fe00010, 0x7fe00008, 0x7fe00009]);
const META: Parameters<typeof readElements>[3] = { explicit: true, littleEndian: true };
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
 * begins in group 0002 or 0008 with a plausible first element. A file's first kilobyte is enough to tell.
 */
export function isDicom(bytes: Uint8Array): boolean {
  if (hasPrefix(bytes)) return true;
  if (bytes.length < 16) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const group = view.getUint16(0, true);
  if ((group !== 2 && group !== 8) || view.getUint16(2, true) > 0x0100) return false;
  return looksExplicit(bytes, 0) || view.getUint32(4, true) < Math.min(bytes.length, 1024);
}

interface Place {
  readonly start: number;
  readonly syntax: TransferSyntax;
  readonly meta: ElementRun | null;
}

/** The data set's position and transfer syntax; without file meta information, what its first element looks like. */
function locate(bytes: Uint8Array): Place {
  const first = hasPrefix(bytes) ? 132 : 0;
  // Always explicit little endian, whatever follows; its group length (0002,0000) is often wrong and not relied on.
  const meta = readElements(bytes, first, bytes.length, META, (tag) => tag >= 0x00030000);
  const start = meta.end;
  const uid = plainText(shortString(meta.dataSet, 'x00020010'), 64);
  const declared = transferSyntax(uid || IMPLICIT_LITTLE_ENDIAN);
  const found = { start, meta: start > first ? meta : null };
  if (declared.deflated || start + 8 > bytes.length) return { ...found, syntax: declared };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Some writers declare one and write the other; the bytes themselves decide. Where they look like neither (a value
  // representation that does not exist), the declaration stands.
  const implicit = view.getUint32(start + 4, declared.littleEndian) < bytes.length - start;
  const explicit = looksExplicit(bytes, start) || (declared.explicit && !implicit);
  return { ...found, syntax: { ...declared, explicit } };
}

/**
 * Parses a DICOM file's data set up to its pixel data; what follows the pixel data is not looked at.
 *
 * @param file the whole file or its head; a head that is too short gives the elements that lie in it, and `wanted`
 * @throws FormatError where the data set is damaged
 */
export function parseDicomDataSet(file: Uint8Array, size = file.length): DicomDataSet {
  return refusing('dicom', () => {
    const { start: place, syntax, meta } = locate(file);
    const isHead = file.length < size;
    // A deflated stream is parsed whole or not at all.
    const deferred = isHead && (syntax.deflated || place + 8 > file.length);
    const bytes = syntax.deflated && !deferred ? inflateWhole(file.subarray(place), DEFLATED_CAP, 'dicom') : file;
    const start = deferred ? file.length : syntax.deflated ? 0 : place;
    const elements = readElements(bytes, start, bytes.length, syntax, (tag) => PIXEL_DATA.has(tag));
    const { dataSet, outcome } = elements;
    // The first bytes of the pixel data tell whether it is in fragments.
    const more = deferred ? size : outcome === 'damaged' ? 0 : outcome === 'stopped' ? elements.end + 32
      : outcome === 'complete' ? bytes.length + 1 : elements.wanted;
    return {
      elements,
      dataSet,
      meta,
      bytes,
      start,
      syntax,
      sopClass: text(dataSet, 'x00080016'),
      complete: outcome === 'stopped' || outcome === 'complete',
      wanted: isHead && more > bytes.length ? Math.min(more, size) : 0,
    };
  });
}

/** A string element (UI, CS, LO, SH), printable and trimmed; '' where absent. */
export function text(dataSet: DataSet, tag: string): string {
  return plainText(shortString(dataSet, tag), 128);
}

/** The parts of an element with several strings. */
export function texts(dataSet: DataSet, tag: string): string[] {
  return shortString(dataSet, tag).split('\\').map((part) => plainText(part, 128));
}

/** Elements of these kinds hold a few dozen characters; a forged length is not worth reading. */
function shortString(dataSet: DataSet, tag: string, most = 1024): string {
  const length = dataSet.elements[tag]?.length ?? 0;
  return length > most ? '' : dataSet.string(tag) ?? '';
}

/** All numbers of a decimal string element (DS, IS); null where absent, short of `count` or not finite. */
export function decimals(dataSet: DataSet, tag: string, count: number): number[] | null {
  // 16 characters a value and its separator; files pad more than they may.
  const values = shortString(dataSet, tag, Math.max(1024, 32 * count)).split('\\').slice(0, count).map((part) =>
    part.trim() === '' ? Number.NaN : Number(part.replace(',', '.')));
  return values.length === count && values.every(Number.isFinite) ? values : null;
}

/** One decimal string, or `otherwise` where absent or unreadable. */
export function decimal<Otherwise>(dataSet: DataSet, tag: string, otherwise: Otherwise): number | Otherwise {
  return decimals(dataSet, tag, 1)?.[0] ?? otherwise;
}

/** A 64-bit float (FD), or `otherwise` where absent or not finite. */
export function double<Otherwise>(dataSet: DataSet, tag: string, otherwise: Otherwise): number | Otherwise {
  const value = (dataSet.elements[tag]?.length ?? 0) >= 8 ? dataSet.double(tag) : undefined;
  return value !== undefined && Number.isFinite(value) ? value : otherwise;
}
