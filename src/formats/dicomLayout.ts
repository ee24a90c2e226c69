import type { Element } from 'dicom-parser';
import { decimal, text } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { FormatError } from './volume.ts';

/** How the samples of a frame are written (PS3.3, C.7.6.3; PS3.5, section 8). */
export interface PixelLayout {
  /** The pixel data; its offset points into the parsed bytes. */
  readonly element: Pick<Element, 'dataOffset' | 'length' | 'hadUndefinedLength' | 'vr'>;
  /** Frames lie in fragments, compressed or not (PS3.5, A.4). */
  readonly encapsulated: boolean;
  readonly littleEndian: boolean;
  readonly kind: 'integer' | 'float32' | 'float64';
  readonly columns: number; // (0028,0011)
  readonly rows: number; // (0028,0010)
  readonly samplesPerPixel: number; // (0028,0002)
  /** Two pixels share their colour differences: native Y Y Cb Cr (PS3.3, C.7.6.3.1.2). */
  readonly halved: boolean;
  /** Colour by plane: all red, all green, all blue. */
  readonly planar: boolean; // (0028,0006)
  readonly photometric: string; // (0028,0004)
  /** Three samples a pixel or a palette: the brightness is shown. */
  readonly colour: boolean;
  readonly bitsAllocated: number; // (0028,0100)
  readonly bitsStored: number; // (0028,0101)
  readonly highBit: number; // (0028,0102)
  readonly signed: boolean; // (0028,0103)
}

const PIXEL_ELEMENTS: readonly (readonly [string, PixelLayout['kind'], number])[] = [
  ['x7fe00010', 'integer', 0], ['x7fe00008', 'float32', 32], ['x7fe00009', 'float64', 64],
];
const COLOURS = new Set([
  'RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_PARTIAL_422', 'YBR_PARTIAL_420', 'YBR_ICT', 'YBR_RCT',
]);
const GREYS = new Set(['MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR']);

function beginsWithItem(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xfe && bytes[at + 1] === 0xff && bytes[at + 2] === 0 && bytes[at + 3] === 0xe0;
}

/** The layout that the header declares; null where there is no pixel data. */
export function pixelLayout({ dataSet, syntax, bytes }: DicomDataSet): PixelLayout | null {
  for (const [tag, kind, bits] of PIXEL_ELEMENTS) {
    const element = dataSet.elements[tag];
    if (!element) continue;
    const bitsAllocated = bits || (dataSet.uint16('x00280100') ?? 0);
    const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
    const samplesPerPixel = dataSet.uint16('x00280002') ?? 1;
    const photometric = text(dataSet, 'x00280004') || 'MONOCHROME2';
    // Lengths and transfer syntaxes that contradict the bytes are common: what begins with an item is in fragments.
    const at = element.dataOffset;
    const encapsulated =
      element.hadUndefinedLength === true || syntax.codec !== 'native' ? beginsWithItem(bytes, at) : false;
    const [columns, rows] = [dataSet.uint16('x00280011') ?? 0, dataSet.uint16('x00280010') ?? 0];
    // Some writers declare 4:2:2 and store every pixel's own colour; the length tells.
    const whole = columns * rows * 3 * Math.max(1, decimal(dataSet, 'x00280008', 1));
    return {
      element,
      encapsulated,
      littleEndian: syntax.littleEndian,
      kind,
      columns,
      rows,
      samplesPerPixel,
      halved: !encapsulated && bitsAllocated === 8 && /^YBR_(FULL|PARTIAL)_422$/.test(photometric)
        && (element.hadUndefinedLength === true || element.length < whole),
      planar: dataSet.uint16('x00280006') === 1,
      photometric,
      colour: samplesPerPixel === 3 || photometric === 'PALETTE COLOR',
      bitsAllocated,
      bitsStored,
      highBit: dataSet.uint16('x00280102') ?? bitsStored - 1,
      signed: dataSet.uint16('x00280103') === 1,
    };
  }
  return null;
}

/** @throws FormatError for empty images, bit depths and kinds of colour that cannot be decoded */
export function checkLayout(layout: PixelLayout): void {
  const { columns, rows, samplesPerPixel, photometric, bitsAllocated, kind, encapsulated, littleEndian } = layout;
  if (rows === 0 || columns === 0) {
    throw new FormatError(
      `dicom: the image is ${columns} × ${rows} pixels, expected at least 1 × 1; export or download it again`,
    );
  }
  if (!(samplesPerPixel === 1 && GREYS.has(photometric)) && !(samplesPerPixel === 3 && COLOURS.has(photometric))) {
    throw new FormatError(
      `dicom: images of ${samplesPerPixel} sample(s) per pixel in ${photometric} are not supported; expected ` +
      'greyscale, RGB, YBR or a palette, export the image as one of these',
    );
  }
  const depths = kind !== 'integer' ? [32, 64] : samplesPerPixel === 1 ? [1, 8, 16, 32] : [8, 16, 32];
  if (!depths.includes(bitsAllocated)) {
    throw new FormatError(
      `dicom: ${bitsAllocated} bits allocated per sample are not supported, expected 8, 16 or 32; ` +
      'convert the image to 16 bits',
    );
  }
  if (encapsulated && (!littleEndian || kind !== 'integer')) {
    throw new FormatError('dicom: the pixel data is packed in a way that its transfer syntax forbids; export it again');
  }
}

/** Bytes of one native frame; single bits may end within a byte. */
export function frameBytes(layout: PixelLayout): number {
  const { columns, rows, samplesPerPixel, bitsAllocated, halved } = layout;
  return columns * rows * (halved ? 2 : samplesPerPixel) * bitsAllocated / 8;
}

/** The error for pixel data that ends before the frame does. */
export function cutShort(layout: PixelLayout, found: number): FormatError {
  const { columns, rows } = layout;
  return new FormatError(
    `dicom: ${columns} × ${rows} pixels need ${Math.ceil(frameBytes(layout))} bytes, found ${Math.max(0, found)}; ` +
    'the file is cut short, export or copy it again',
  );
}
