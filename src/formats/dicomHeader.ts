import { decimal, decimals, parseDicomDataSet, text } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { refusing } from './guard.ts';
import { FormatError } from './volume.ts';
import type { Modality, NamedBytes, Units } from './volume.ts';

/** What the readers use of one DICOM image; tags in the comments. */
export interface DicomHeader {
  readonly file: NamedBytes;
  /** Pixel data as it stands in `bytes`. */
  readonly pixels: DicomPixels;
  readonly columns: number; // (0028,0011)
  readonly rows: number; // (0028,0010)
  readonly frames: number; // (0028,0008)
  readonly modality: Modality | null;
  /** Modality as written, for sentences: "CT". */
  readonly modalityName: string; // (0008,0060)
  readonly units: Units;
  readonly rescaleSlope: number; // (0028,1053)
  readonly rescaleIntercept: number; // (0028,1052)
  readonly sopInstance: string; // (0008,0018)
  readonly series: string; // (0020,000e)
  readonly seriesNumber: number | null; // (0020,0011)
  readonly seriesDescription: string; // (0008,103e)
  readonly instanceNumber: number; // (0020,0013)
  /** Centre of the first pixel in the patient, mm, LPS. */
  readonly position: readonly number[] | null; // (0020,0032)
  /** Direction of a row (columns grow), then of a column (rows grow), LPS. */
  readonly orientation: readonly number[] | null; // (0020,0037)
  /** mm between rows, then between columns. */
  readonly pixelSpacing: readonly number[] | null; // (0028,0030)
  /** Spacing between slices (0018,0088), else slice thickness (0018,0050), mm. */
  readonly sliceSpacing: number | null;
  readonly notices: readonly string[];
}

/** Encoding of the samples (PS3.3, C.7.6.3). */
export interface DicomPixels {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly littleEndian: boolean;
  readonly kind: 'integer' | 'float32' | 'float64';
  readonly samplesPerPixel: number; // (0028,0002)
  readonly photometric: string; // (0028,0004)
  readonly bitsAllocated: number; // (0028,0100)
  readonly bitsStored: number; // (0028,0101)
  readonly highBit: number; // (0028,0102)
  readonly signed: boolean; // (0028,0103)
}

const MODALITIES: Readonly<Record<string, Modality>> = { CT: 'ct', MR: 'mri', PT: 'pet' };
const DICOMDIR_CLASS = '1.2.840.10008.1.3.10';
const PIXEL_ELEMENTS: readonly (readonly [string, DicomPixels['kind']])[] = [
  ['x7fe00010', 'integer'], ['x7fe00008', 'float32'], ['x7fe00009', 'float64'],
];
/** Orientation cosines are written with few digits; these are lengths, so a thousandth is generous. */
const UNIT_TOLERANCE = 1e-2;

type PixelElement = Pick<DicomPixels, 'offset' | 'length' | 'kind'>;

function pixelElement({ dataSet, syntax, sopClass, complete }: DicomDataSet): PixelElement {
  for (const [tag, kind] of PIXEL_ELEMENTS) {
    const element = dataSet.elements[tag];
    if (!element) continue;
    if (syntax.codec === null || element.hadUndefinedLength) {
      throw new FormatError(
        `dicom: the transfer syntax ${syntax.uid} (${syntax.name}) is not supported for pixel data; ` +
        'convert the files to Explicit VR Little Endian (for example "gdcmconv --raw") or to NIfTI',
      );
    }
    return { offset: element.dataOffset, length: element.length, kind };
  }
  if (sopClass === DICOMDIR_CLASS || dataSet.elements['x00041220']) {
    throw new FormatError('dicom: a DICOMDIR is only an index; open the image files or the folder beside it');
  }
  if (!complete) {
    throw new FormatError('dicom: the file is damaged or cut short before its pixel data; export or download it again');
  }
  const modality = text(dataSet, 'x00080060');
  throw new FormatError(
    `dicom: this ${modality ? `${modality} ` : ''}object holds no pixel data; open CT, MR or PET images instead`,
  );
}

function unitsOf(modality: string, rescaleType: string, petUnits: string, lookupTable: boolean): Units {
  if (modality === 'CT' && !lookupTable && (rescaleType === '' || rescaleType === 'HU')) return 'HU';
  if (modality === 'PT' && petUnits === 'BQML') return 'Bq/mL';
  return 'raw';
}

/** Two unit vectors at a right angle, or null. */
function checkedOrientation(values: readonly number[] | null): readonly number[] | null {
  if (!values) return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
  const valid = Math.abs(Math.hypot(a, b, c) - 1) < UNIT_TOLERANCE && Math.abs(Math.hypot(d, e, f) - 1) < UNIT_TOLERANCE
    && Math.abs(a * d + b * e + c * f) < UNIT_TOLERANCE;
  return valid ? values : null;
}

/**
 * Reads one file's header and finds its pixel data, without decoding it.
 *
 * @throws FormatError for damaged files, objects without pixels (plans, reports, DICOMDIR), compressed transfer
 *   syntaxes without a decoder, and impossible sizes
 */
export function readDicomHeader(file: NamedBytes): DicomHeader {
  return refusing('dicom', () => headerOf(file));
}

function headerOf(file: NamedBytes): DicomHeader {
  const parsed = parseDicomDataSet(file.bytes);
  const { dataSet, bytes, syntax } = parsed;
  const element = pixelElement(parsed);
  const rows = dataSet.uint16('x00280010') ?? 0;
  const columns = dataSet.uint16('x00280011') ?? 0;
  if (rows === 0 || columns === 0) {
    throw new FormatError(
      `dicom: the image is ${columns} × ${rows} pixels, expected at least 1 × 1; export or download it again`,
    );
  }
  const bitsAllocated = dataSet.uint16('x00280100') ?? 0;
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  const modalityName = text(dataSet, 'x00080060');
  const lookupTable = dataSet.elements['x00283000'] !== undefined;
  const slope = decimal(dataSet, 'x00281053', 1);
  const spacing = decimals(dataSet, 'x00280030', 2);
  const sliceSpacing = Math.abs(decimal(dataSet, 'x00180088', 0)) || Math.abs(decimal(dataSet, 'x00180050', 0));
  const notices: string[] = [];
  if (lookupTable) notices.push('A modality lookup table in the file was not applied; stored values are shown.');
  if (slope === 0) notices.push('A rescale slope of 0 in the file was ignored.');
  return {
    file,
    pixels: {
      bytes,
      offset: element.offset,
      length: element.length,
      littleEndian: syntax.littleEndian,
      kind: element.kind,
      samplesPerPixel: dataSet.uint16('x00280002') ?? 1,
      photometric: text(dataSet, 'x00280004') || 'MONOCHROME2',
      bitsAllocated,
      bitsStored,
      highBit: dataSet.uint16('x00280102') ?? bitsStored - 1,
      signed: dataSet.uint16('x00280103') === 1,
    },
    columns,
    rows,
    frames: Math.max(1, Math.floor(decimal(dataSet, 'x00280008', 1))),
    modality: MODALITIES[modalityName] ?? null,
    modalityName,
    units: unitsOf(modalityName, text(dataSet, 'x00281054'), text(dataSet, 'x00541001'), lookupTable),
    rescaleSlope: slope === 0 ? 1 : slope,
    rescaleIntercept: decimal(dataSet, 'x00281052', 0),
    sopInstance: text(dataSet, 'x00080018'),
    series: text(dataSet, 'x0020000e'),
    seriesNumber: decimals(dataSet, 'x00200011', 1)?.[0] ?? null,
    seriesDescription: text(dataSet, 'x0008103e'),
    instanceNumber: decimal(dataSet, 'x00200013', 0),
    position: decimals(dataSet, 'x00200032', 3),
    orientation: checkedOrientation(decimals(dataSet, 'x00200037', 6)),
    pixelSpacing: spacing?.every((value) => value > 0) ? spacing : null,
    sliceSpacing: sliceSpacing > 0 ? sliceSpacing : null,
    notices,
  };
}
