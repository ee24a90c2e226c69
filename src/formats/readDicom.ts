import { loadCodec } from './codecs/loadCodec.ts';
import { brightness, paletteBrightness } from './dicomColour.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { encapsulatedFrames } from './dicomFragments.ts';
import type { ExtendedOffsets } from './dicomFragments.ts';
import type { DicomFrame } from './dicomHeader.ts';
import { checkLayout, cutShort, frameBytes, pixelLayout } from './dicomLayout.ts';
import type { PixelLayout } from './dicomLayout.ts';
import { modalityLookup, paletteOf } from './dicomLookup.ts';
import type { Lookup } from './dicomLookup.ts';
import { keepStoredBits, nativeSamples, storedBits } from './dicomPixels.ts';
import type { Samples } from './dicomPixels.ts';
import { refusing } from './guard.ts';
import { FormatError } from './volume.ts';

/** A file whose frames can be decoded. */
export interface DicomPixelReader {
  /**
   * One frame in native units: rescale slope · stored value + intercept, or the modality look-up table; the brightness
   * of colour. MONOCHROME1 is a matter of display; values stay as they are, and so does pixel padding.
   *
   * @param target makes the float32 [rows, columns] to write into, once the frame is known to be readable
   * @throws FormatError where the frame cannot be decoded
   */
  read(frame: DicomFrame, target: () => Float32Array): void;
}

/** A frame's samples, cleaned of bits that are not stored ones. */
interface FrameSamples {
  readonly samples: Samples;
  readonly rgb: boolean;
  readonly native: boolean;
}

type SampleSource = (index: number) => FrameSamples;

/** Codecs that give back the words that were stored, whose field may lie anywhere in them. */
const VERBATIM = new Set(['rle', 'uncompressed', 'deflate']);

/**
 * Prepares a file's pixel data for decoding; loads the decoder that it needs.
 *
 * @param expected size that the file had when its head was read
 * @throws FormatError where it cannot be decoded
 */
export async function openPixels(
  parsed: DicomDataSet, expected?: Pick<PixelLayout, 'columns' | 'rows'>,
): Promise<DicomPixelReader> {
  const layout = refusing('dicom', () => pixelLayout(parsed));
  if (!layout || (expected && (layout.columns !== expected.columns || layout.rows !== expected.rows))) {
    throw new FormatError('dicom: the file has changed since it was found; open it again');
  }
  checkLayout(layout);
  const source = layout.encapsulated ? await encapsulated(parsed, layout) : native(parsed, layout);
  const lookup = layout.colour || layout.kind !== 'integer' ? null
    : refusing('dicom', () => modalityLookup(parsed.elements, layout.signed));
  const palette = layout.photometric === 'PALETTE COLOR'
    ? refusing('dicom', () => paletteOf(parsed.elements, layout.signed)) : null;
  return {
    read(frame, target) {
      refusing('dicom', () => {
        const { samples, rgb, native: stored } = source(frame.index);
        const data = target();
        if (palette) {
          paletteBrightness(samples, palette, data);
        } else if (layout.colour) {
          brightness({ samples, rgb, planar: stored && layout.planar, halved: layout.halved }, layout, data);
        } else if (lookup) {
          lookUp(samples, lookup, data);
        } else {
          const { valueScale } = frame.header;
          rescale(samples, frame.rescaleSlope * valueScale, frame.rescaleIntercept * valueScale, data);
        }
      });
    },
  };
}

function native({ bytes }: DicomDataSet, layout: PixelLayout): SampleSource {
  const { element } = layout;
  const size = frameBytes(layout);
  const room = Math.min(element.hadUndefinedLength ? bytes.length : element.length, bytes.length - element.dataOffset);
  const field = storedBits(layout);
  return (index) => {
    if ((index + 1) * size > room) throw cutShort(layout, room - index * size);
    const samples = nativeSamples(bytes, layout, index);
    return { samples: field ? keepStoredBits(samples, field) : samples, rgb: false, native: true };
  };
}

async function encapsulated(parsed: DicomDataSet, layout: PixelLayout): Promise<SampleSource> {
  const { bytes, dataSet, syntax } = parsed;
  if (syntax.codec === null || syntax.codec === 'native') {
    throw new FormatError(
      `dicom: the pixel data is in pieces, which the transfer syntax ${syntax.uid} (${syntax.name}) does not allow; ` +
      'export the file again',
    );
  }
  const declared = Math.max(1, Math.floor(Number(dataSet.intString('x00280008') ?? 1)) || 1);
  const frames = refusing('dicom', () =>
    encapsulatedFrames(bytes, layout.element.dataOffset, declared, extendedOffsets(parsed, declared)));
  const codec = await loadCodec(syntax.codec).catch(() => {
    throw new FormatError(
      `dicom: the decoder for ${syntax.name} could not be loaded; check the connection and open the file again`,
    );
  });
  const { columns, rows, samplesPerPixel, bitsAllocated } = layout;
  const field = VERBATIM.has(syntax.codec) ? storedBits(layout) : null;
  // A field elsewhere in the word than at its bottom is cut out here; the decoder gives the whole words.
  const bitsStored = field ? bitsAllocated : layout.bitsStored;
  return (index) => {
    const frame = frames.frame(index);
    const decoded = named(() => codec({
      bytes: frame, rows, columns, samplesPerPixel, bitsAllocated, bitsStored, signed: layout.signed,
    }));
    if (decoded.samples.length !== rows * columns * samplesPerPixel) {
      throw new FormatError(
        `dicom: the compressed frame has ${decoded.samples.length} samples, expected ` +
        `${rows * columns * samplesPerPixel}; export the file again`,
      );
    }
    const samples = field ? keepStoredBits(decoded.samples, field) : decoded.samples;
    return { samples, rgb: decoded.rgb, native: false };
  };
}

/** A decoder's error begins with its own name; the user dropped DICOM. */
function named<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`dicom: ${error.message}`) : error;
  }
}

/** Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002); null where absent or of another length. */
function extendedOffsets({ dataSet, bytes }: DicomDataSet, frames: number): ExtendedOffsets | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [offsets, lengths] = ['x7fe00001', 'x7fe00002'].map((tag) => {
    const element = dataSet.elements[tag];
    return element?.length === 8 * frames ? Array.from({ length: frames }, (_, index) =>
      Number(view.getBigUint64(element.dataOffset + 8 * index, true))) : null;
  });
  return offsets && lengths ? { offsets, lengths } : null;
}

function rescale(samples: Samples, slope: number, intercept: number, data: Float32Array): void {
  for (let index = 0; index < data.length; index += 1) data[index] = (samples[index] ?? 0) * slope + intercept;
}

function lookUp(samples: Samples, { first, entries }: Lookup, data: Float32Array): void {
  const last = entries.length - 1;
  for (let index = 0; index < data.length; index += 1) {
    data[index] = entries[Math.min(last, Math.max(0, (samples[index] ?? 0) - first))] ?? 0;
  }
}
