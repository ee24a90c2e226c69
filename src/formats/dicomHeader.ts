import { decimal, decimals, parseDicomDataSet, text, texts } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { framesOf } from './dicomFrames.ts';
import type { FrameFacts } from './dicomFrames.ts';
import { checkLayout, cutShort, frameBytes, pixelLayout } from './dicomLayout.ts';
import type { PixelLayout } from './dicomLayout.ts';
import { modalityLookupType } from './dicomLookup.ts';
import { countScale, petFacts } from './dicomSuv.ts';
import type { PetFacts } from './dicomSuv.ts';
import { refusing } from './guard.ts';
import { FormatError } from './volume.ts';
import type { Modality, SourceFile, Units } from './volume.ts';

/** What the readers use of one DICOM image file; tags in the comments. Its pixels are not kept. */
export interface DicomHeader {
  readonly file: SourceFile;
  readonly layout: PixelLayout;
  /** Frames that the file holds. */
  readonly frames: number; // (0028,0008)
  readonly modality: Modality | null;
  /** Modality as written, for sentences: "CT". */
  readonly modalityName: string; // (0008,0060)
  readonly sopInstance: string; // (0008,0018)
  readonly series: string; // (0020,000e)
  readonly seriesNumber: number | null; // (0020,0011)
  readonly seriesDescription: string; // (0008,103e)
  readonly instanceNumber: number; // (0020,0013)
  /** How many images the header says there are in this acquisition, or slices in this series. */
  readonly announced: number | null; // (0020,1002), (0054,0081)
  readonly pet: PetFacts | null;
  /** What rescaled values are multiplied by: the factor of Philips' counts. */
  readonly valueScale: number;
  readonly notices: readonly string[];
}

/** One frame of a file, before its pixels are decoded. */
export interface DicomFrame extends FrameFacts {
  readonly header: DicomHeader;
  readonly units: Units;
}

/** Far more frames than any scanner or film puts in a file. */
const MAX_FRAMES = 2 ** 16;
/** Read first of every file; the headers of single slices are shorter. */
const HEAD = 2 ** 16;
const MODALITIES: Readonly<Record<string, Modality>> = { CT: 'ct', MR: 'mri', PT: 'pet' };
const DICOMDIR_CLASS = '1.2.840.10008.1.3.10';

/** Whether the file is the index of a medium (PS3.3, annex F), not an image. */
export function isDirectory({ sopClass, dataSet, meta }: DicomDataSet): boolean {
  return sopClass === DICOMDIR_CLASS || dataSet.elements['x00041220'] !== undefined
    || (meta !== null && text(meta.dataSet, 'x00020002') === DICOMDIR_CLASS);
}

/**
 * Reads a file up to its pixel data: its first 64 KiB, more only where the header is longer or the file deflated.
 *
 * @throws FormatError for damaged headers
 */
export async function readHead(file: SourceFile): Promise<DicomDataSet> {
  let end = Math.min(HEAD, file.size);
  for (;;) {
    const parsed = parseDicomDataSet(await file.bytes(end), file.size);
    if (parsed.wanted === 0 || end >= file.size) return parsed;
    // Growing by a factor keeps the sum of all attempts near the last one.
    end = Math.min(file.size, Math.max(4 * end, parsed.wanted + HEAD));
  }
}

function refuseWithoutPixels({ dataSet, complete }: DicomDataSet): never {
  if (!complete) {
    throw new FormatError('dicom: the file is damaged or cut short before its pixel data; export or download it again');
  }
  const modality = text(dataSet, 'x00080060');
  throw new FormatError(
    `dicom: this ${modality ? `${modality} ` : ''}object holds no pixel data; open CT, MR or PET images instead`,
  );
}

/** Frames declared, as far as the bytes of the file can hold them. */
function countFrames(parsed: DicomDataSet, layout: PixelLayout, size: number): number {
  const declared = Math.max(1, Math.floor(decimal(parsed.dataSet, 'x00280008', 1)));
  const { element } = layout;
  // An item of a compressed frame has 8 bytes of header; inflated data is whole in memory.
  const end = parsed.syntax.deflated ? parsed.bytes.length : size;
  const room = Math.min(element.hadUndefinedLength ? end : element.length, end - element.dataOffset);
  const held = Math.floor(layout.encapsulated ? room / 8 : room / frameBytes(layout));
  if (held < 1) throw cutShort(layout, room);
  if (Math.min(declared, held) > MAX_FRAMES) {
    throw new FormatError(
      `dicom: ${declared} frames were declared, at most ${MAX_FRAMES} can be opened; split the file into smaller ones`,
    );
  }
  return Math.min(declared, held);
}

function unitsOf(header: DicomHeader, rescaleType: string, lookupType: string | null): Units {
  if (header.layout.colour) return 'raw';
  if (header.pet) return countScale(header.pet).units;
  const type = lookupType ?? rescaleType;
  return header.modality === 'ct' && (type === 'HU' || (type === '' && lookupType === null)) ? 'HU' : 'raw';
}

/** Sentences about how the file's values are to be taken. */
function noticesOf(parsed: DicomDataSet, layout: PixelLayout, frames: number): string[] {
  const { dataSet } = parsed;
  const notices: string[] = [];
  const declared = Math.floor(decimal(dataSet, 'x00280008', 1));
  if (declared > frames) notices.push(`The file is cut short: ${frames} of ${declared} frames are there.`);
  if (decimal(dataSet, 'x00281053', 1) === 0) notices.push('A rescale slope of 0 in the file was ignored.');
  if (layout.photometric === 'MONOCHROME1') {
    notices.push('The file wants low values shown bright (MONOCHROME1); invert the window to see it so.');
  }
  if (decimal(dataSet, 'x3004000e', 0) !== 0) {
    notices.push('Values are stored dose; the dose grid scaling (3004,000e) is not applied.');
  }
  if (texts(dataSet, 'x00080008').includes('MOSAIC')) {
    const tiles = (dataSet.elements['x0019100a']?.length ?? 0) === 2 ? dataSet.uint16('x0019100a') : undefined;
    notices.push(
      `Each picture is a Siemens mosaic of ${tiles ?? 'several'} slices side by side, shown as one; convert the ` +
      'series to NIfTI (for example with dcm2niix) to take it apart.',
    );
  }
  return notices;
}

/**
 * What a parsed file says of its image and each of its frames.
 *
 * @throws FormatError for objects without pixels (plans, reports), transfer syntaxes without a decoder, impossible
 *   sizes, and pixel data shorter than one frame
 */
export function framesIn(file: SourceFile, parsed: DicomDataSet): DicomFrame[] {
  return refusing('dicom', () => {
    const { dataSet, elements, syntax } = parsed;
    const layout = pixelLayout(parsed);
    if (!layout) return refuseWithoutPixels(parsed);
    if (syntax.codec === null) {
      throw new FormatError(
        `dicom: the transfer syntax ${syntax.uid} (${syntax.name}) is not supported for pixel data; ` +
        'convert the files to Explicit VR Little Endian (for example "gdcmconv --raw") or to NIfTI',
      );
    }
    checkLayout(layout);
    const frames = countFrames(parsed, layout, file.size);
    const facts = framesOf(parsed, frames);
    const modalityName = text(dataSet, 'x00080060');
    const modality = MODALITIES[modalityName] ?? null;
    const petUnits = text(dataSet, 'x00541001') || (facts[0]?.rescaleType ?? '');
    const pet = modality === 'pet' ? petFacts(parsed, petUnits) : null;
    const announced = decimal(dataSet, modality === 'pet' ? 'x00540081' : 'x00201002', null);
    const header: DicomHeader = {
      file,
      layout,
      frames,
      modality,
      modalityName,
      sopInstance: text(dataSet, 'x00080018'),
      series: text(dataSet, 'x0020000e'),
      seriesNumber: decimals(dataSet, 'x00200011', 1)?.[0] ?? null,
      seriesDescription: text(dataSet, 'x0008103e'),
      instanceNumber: decimal(dataSet, 'x00200013', 0),
      announced: announced !== null && announced > 0 ? announced : null,
      pet,
      valueScale: pet ? countScale(pet).factor : 1,
      notices: noticesOf(parsed, layout, frames),
    };
    const lookupType = dataSet.elements['x00283000'] ? modalityLookupType(elements) : null;
    return facts.map((frame) => ({ ...frame, header, units: unitsOf(header, frame.rescaleType, lookupType) }));
  });
}

/** @throws FormatError as `readHead` and `framesIn` do */
export async function readFrames(file: SourceFile): Promise<DicomFrame[]> {
  return framesIn(file, await readHead(file));
}
