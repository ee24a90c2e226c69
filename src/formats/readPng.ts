import { decode } from 'fast-png';
import type { DecodedPng } from 'fast-png';
import { Unzlib } from 'fflate';
import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { COLOUR_NOTICE, luma } from './luma.ts';
import { FormatError, UNPLACED } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** 8192 × 8192: more than any detector's picture, and half a gigabyte once decoded in 16-bit colour. */
const MAX_PIXELS = 2 ** 26;
/** Chunks that carry the picture; the rest (profiles, text) may hold bombs of their own and is not decoded. */
const PICTURE_CHUNKS = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
/** Some encoders leave a little after the last row. */
const SLACK = 1 << 16;
const PIECE = 1 << 14;

/** Samples per pixel of each colour type (PNG, section 11.2.1). */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Adam7: first column, first row, column step, row step of the seven passes. */
const ADAM7 = [
  [0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2],
] as const;

/** Whether the content begins with the PNG signature. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((value, index) => bytes[index] === value);
}

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  readonly interlaced: boolean;
  /** Signature and the picture's own chunks. */
  readonly picture: Uint8Array;
  readonly compressed: readonly Uint8Array[];
}

function layoutOf(bytes: Uint8Array): Layout {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const compressed: Uint8Array[] = [];
  let ended = false;
  for (let at = 8; !ended && at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 12 + length;
    if (end > bytes.length) break;
    if (PICTURE_CHUNKS.has(name)) kept.push(bytes.subarray(at, end));
    if (name === 'IDAT') compressed.push(bytes.subarray(at + 8, end - 4));
    ended = name === 'IEND';
    at = end;
  }
  const isHeader = bytes.length >= 33 && view.getUint32(8) === 13 && view.getUint32(12) === 0x49484452;
  if (!isHeader || !ended || compressed.length === 0) {
    throw new FormatError('png: the file is damaged or cut short; export or download it again');
  }
  const picture = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  kept.reduce((offset, part) => (picture.set(part, offset), offset + part.length), 0);
  return {
    width: view.getUint32(16), height: view.getUint32(20), depth: bytes[24] ?? 0, colourType: bytes[25] ?? 0,
    interlaced: bytes[28] === 1, picture, compressed,
  };
}

/** Bytes of the filtered rows that the picture's size calls for. */
function filteredSize({ width, height, depth, colourType, interlaced }: Layout): number {
  const bits = depth * (CHANNELS[colourType] ?? 4);
  const rows = (columns: number, lines: number): number =>
    (columns > 0 && lines > 0 ? lines * (1 + Math.ceil(columns * bits / 8)) : 0);
  if (!interlaced) return rows(width, height);
  return ADAM7.reduce((sum, [x, y, stepX, stepY]) =>
    sum + rows(Math.ceil((width - x) / stepX), Math.ceil((height - y) / stepY)), 0);
}

/** Inflates once without keeping anything, so that neither a bomb nor a short stream reaches the decoder. */
function checkInflatedSize(layout: Layout): void {
  const expected = filteredSize(layout);
  let total = 0;
  const stream = new Unzlib((chunk) => { total += chunk.length; });
  for (const part of layout.compressed) {
    for (let start = 0; start < part.length && total <= expected + SLACK; start += PIECE) {
      stream.push(part.subarray(start, start + PIECE), false);
    }
  }
  if (total < expected || total > expected + SLACK) {
    throw new FormatError(
      `png: ${layout.width} × ${layout.height} pixels need ${expected} bytes of rows, found ` +
      `${total < expected ? total : 'more'}; the file is damaged, export it again`,
    );
  }
}

/** Sample `index` of a row, from packed bits where depth < 8. */
function unpack({ data, width, depth, channels }: DecodedPng): (row: number, index: number) => number {
  if (depth >= 8) return (row, index) => data[row * width * channels + index] ?? 0;
  const stride = Math.ceil(width * depth / 8);
  const mask = (1 << depth) - 1;
  return (row, index) => {
    const bit = index * depth;
    return ((data[row * stride + (bit >> 3)] ?? 0) >> (8 - depth - (bit & 7))) & mask;
  };
}

/**
 * Reads a PNG as one slice in [0, 1]: stored value / (2^depth − 1). Colour and palette become luma (ITU-R BT.601),
 * alpha is ignored, colour profiles and gamma are not applied.
 *
 * @throws FormatError for damaged files, pictures above 2^26 pixels and interlacing below 8 bits
 */
export function readPng(file: NamedBytes): Volume {
  return refusing('png', () => {
    const layout = layoutOf(file.bytes);
    const { width, height, depth, colourType, interlaced } = layout;
    if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
      throw new FormatError(
        `png: the picture is ${width} × ${height}, expected 1 to ${MAX_PIXELS} pixels; downsample it`,
      );
    }
    if (interlaced && depth < 8) {
      throw new FormatError(`png: interlaced pictures of ${depth} bits are not supported; save without interlacing`);
    }
    checkInflatedSize(layout);
    const png = decode(layout.picture, { checkCrc: true });
    const sample = unpack(png);
    const palette = colourType === 3 ? (png.palette ?? []).map(([r = 0, g = 0, b = 0]) => luma(r, g, b) / 255) : null;
    const colour = colourType === 2 || colourType === 6;
    const white = 2 ** depth - 1;
    const data = allocateVoxels('png', width * height);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const at = column * png.channels;
        const value = sample(row, at);
        data[row * width + column] = palette ? palette[value] ?? 0
          : (colour ? luma(value, sample(row, at + 1), sample(row, at + 2)) : value) / white;
      }
    }
    return {
      name: imageTitle(file.name),
      format: 'png',
      ...UNPLACED,
      columns: width,
      rows: height,
      slices: 1,
      data,
      origin: { format: 'picture', bitDepth: depth === 16 ? 16 : 8 },
      notices: colour || palette ? [COLOUR_NOTICE] : [],
    };
  });
}
