import { loadCodec } from './codecs/loadCodec.ts';
import { MARKER, readJpegStream } from './codecs/jpegMarkers.ts';
import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { COLOUR_NOTICE, luma } from './luma.ts';
import { FormatError, UNPLACED } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

/** 8192 × 8192: more than any detector's picture. */
const MAX_PIXELS = 2 ** 26;

/** Whether the content begins as a JPEG stream does: SOI, and another marker. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === MARKER.SOI && bytes[2] === 0xff;
}

/**
 * Reads a JPEG picture as one slice in [0, 1]: decoded value / (2^bits − 1). Colour becomes luma (ITU-R BT.601); colour
 * profiles, gamma and EXIF's orientation are not applied. Baseline and progressive of 8 bits, sequential of 12 bits and
 * lossless of up to 16 bits are read.
 *
 * @throws FormatError for damaged files, pictures above 2^26 pixels, CMYK and arithmetic coding
 */
export async function readJpeg(file: NamedBytes): Promise<Volume> {
  const stream = refusing('jpeg', () => readJpegStream('jpeg', file.bytes));
  const { columns, rows, components, precision } = stream;
  const pixels = columns * rows;
  if (pixels === 0 || pixels > MAX_PIXELS) {
    throw new FormatError(
      `jpeg: the picture is ${columns} × ${rows}, expected 1 to ${MAX_PIXELS} pixels; downsample it`,
    );
  }
  if (components !== 1 && components !== 3) {
    throw new FormatError(
      `jpeg: found ${components} colour components (CMYK?), expected 1 or 3; save it as RGB or grey`,
    );
  }
  const codec = await loadCodec(stream.process === MARKER.SOF3 ? 'jpeg-lossless' : 'jpeg');
  return refusing('jpeg', () => {
    const { samples } = codec({
      bytes: file.bytes, rows, columns, samplesPerPixel: components,
      bitsAllocated: precision > 8 ? 16 : 8, bitsStored: precision, signed: false,
    });
    const white = 2 ** precision - 1;
    const data = allocateVoxels('jpeg', pixels);
    for (let index = 0; index < pixels; index += 1) {
      const at = index * components;
      const value = samples[at] ?? 0;
      data[index] = (components === 1 ? value : luma(value, samples[at + 1] ?? 0, samples[at + 2] ?? 0)) / white;
    }
    return {
      name: imageTitle(file.name.replace(/\.jpe?g$/i, '')),
      format: 'jpeg',
      ...UNPLACED,
      columns,
      rows,
      slices: 1,
      data,
      origin: { format: 'picture', bitDepth: precision > 8 ? 16 : 8 },
      notices: components === 3 ? [COLOUR_NOTICE] : [],
    };
  });
}
