import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { COLOUR_NOTICE, luma } from './luma.ts';
import { LARGEST_TIFF_EXPANSION, uncompressed } from './tiffCompression.ts';
import { isTiffHeader, tiffPages } from './tiffPages.ts';
import type { TiffPage } from './tiffPages.ts';
import { FormatError, UNPLACED } from './volume.ts';
import type { NamedBytes, NumberType, Origin, Volume } from './volume.ts';

/** Whether the content begins as TIFF, also as BigTIFF, which is then refused by name. */
export function isTiff(bytes: Uint8Array): boolean {
  return isTiffHeader(bytes);
}

type Samples =
  | Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** Puts the bytes of each word the other way round, in place. */
function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; size > 1 && at < bytes.length; at += size) {
    for (let low = at, high = at + size - 1; low < high; low += 1, high -= 1) {
      const byte = bytes[low] ?? 0;
      bytes[low] = bytes[high] ?? 0;
      bytes[high] = byte;
    }
  }
}

/** Predictor 3 (TIFF technical note 3): each row holds the differences of its words' high bytes, then the next ones. */
function undoFloatPredictor(row: Uint8Array, size: number, stride: number): void {
  for (let at = stride; at < row.length; at += 1) row[at] = (row[at] ?? 0) + (row[at - stride] ?? 0);
  const planes = row.slice();
  const count = row.length / size;
  for (let index = 0; index < count; index += 1) {
    for (let byte = 0; byte < size; byte += 1) {
      row[index * size + byte] = planes[(size - 1 - byte) * count + index] ?? 0;
    }
  }
}

/** Predictor 2 (section 14): differences of words, which wrap. */
function undoDifferences(words: Samples, rowLength: number, stride: number): void {
  for (let start = 0; start < words.length; start += rowLength) {
    for (let at = start + stride; at < start + rowLength; at += 1) {
      words[at] = (words[at] ?? 0) + (words[at - stride] ?? 0);
    }
  }
}

function samplesOf(buffer: ArrayBufferLike, kind: TiffPage['kind'], bits: number): Samples {
  if (kind === 'float') return bits === 64 ? new Float64Array(buffer) : new Float32Array(buffer);
  if (bits === 8) return kind === 'int' ? new Int8Array(buffer) : new Uint8Array(buffer);
  if (bits === 16) return kind === 'int' ? new Int16Array(buffer) : new Uint16Array(buffer);
  return kind === 'int' ? new Int32Array(buffer) : new Uint32Array(buffer);
}

/** The samples of one strip or tile, its rows one after another. */
function segmentSamples(
  page: TiffPage, bytes: Uint8Array, index: number, rows: number, littleEndian: boolean,
): Samples {
  const { bits, kind, interleaved, segmentWidth, predictor, compression } = page;
  const [offset = 0, count = 0] = page.segments[index] ?? [];
  if (offset + count > bytes.length) {
    throw new FormatError('tiff: the picture lies beyond the end of the file; it is cut short, download it again');
  }
  const size = bits / 8;
  const rowLength = segmentWidth * interleaved;
  const own = uncompressed(bytes.subarray(offset, offset + count), compression, rows * rowLength * size);
  if (predictor === 3 && kind === 'float') {
    for (let row = 0; row < rows; row += 1) {
      undoFloatPredictor(own.subarray(row * rowLength * size, (row + 1) * rowLength * size), size, interleaved);
    }
    return samplesOf(own.buffer, kind, bits);
  }
  if (!littleEndian) swapBytes(own, size);
  if (predictor === 2 && bits <= 32) undoDifferences(samplesOf(own.buffer, 'uint', bits), rowLength, interleaved);
  else if (predictor !== 1) {
    throw new FormatError(`tiff: predictor ${predictor} is not supported here; save the picture without a predictor`);
  }
  return samplesOf(own.buffer, kind, bits);
}

/** How samples become one value. */
type Shade = (samples: Samples, at: number, step: number) => number;

/** Unsigned 8 and 16 bits become [0, 1], as pictures do; other numbers stay. */
function shadeOf(page: TiffPage): Shade {
  const { photometric, bits, kind, colourMap } = page;
  const white = 2 ** bits - 1;
  const scale = isPicture(page) ? 1 / white : 1;
  switch (photometric) {
    case 0: return kind === 'uint'
      ? (samples, at) => (white - (samples[at] ?? 0)) * scale
      : (samples, at) => samples[at] ?? 0;
    case 1: return (samples, at) => (samples[at] ?? 0) * scale;
    case 2: return (samples, at, step) =>
      luma(samples[at] ?? 0, samples[at + step] ?? 0, samples[at + 2 * step] ?? 0) * scale;
    case 3: {
      const size = colourMap.length / 3;
      // 16 bits of which the upper eight count: some writers leave the lower ones 0, some repeat the upper there, and
      // some of old wrote 8 bits.
      const divisor = colourMap.some((entry) => entry > 255) ? 256 : 1;
      const entry = (index: number): number => Math.floor((colourMap[index] ?? 0) / divisor) / 255;
      const palette = Float64Array.from({ length: size }, (_, index) =>
        luma(entry(index), entry(index + size), entry(index + 2 * size)));
      return (samples, at) => palette[samples[at] ?? 0] ?? 0;
    }
    default: throw new FormatError(
      `tiff: photometric interpretation ${photometric} is not supported; save the picture in grey or RGB`,
    );
  }
}

function isPicture({ kind, bits, photometric }: TiffPage): boolean {
  return photometric === 3 || (kind === 'uint' && bits <= 16);
}

/** Decodes one page into `data`, rows × columns. */
function decodePage(page: TiffPage, bytes: Uint8Array, littleEndian: boolean, data: Float32Array): void {
  const { width, height, samples, interleaved, segmentWidth, segmentHeight, tiled } = page;
  const shade = shadeOf(page);
  const across = Math.ceil(width / segmentWidth);
  const down = Math.ceil(height / segmentHeight);
  // Colours whose samples lie apart are put side by side first, one row of segments at a time.
  const planes = interleaved < samples && page.photometric === 2 ? 3 : 1;
  for (let segment = 0; segment < across * down; segment += 1) {
    const left = (segment % across) * segmentWidth;
    const top = Math.floor(segment / across) * segmentHeight;
    const rows = tiled ? segmentHeight : Math.min(segmentHeight, height - top);
    const parts = Array.from({ length: planes }, (_, plane) =>
      segmentSamples(page, bytes, segment + plane * across * down, rows, littleEndian));
    const [first] = parts;
    if (!first) continue;
    const joined = planes === 1 ? first : samplesOf(new ArrayBuffer(planes * first.byteLength), page.kind, page.bits);
    if (planes > 1) parts.forEach((part, plane) => joined.set(part, plane * first.length));
    const step = planes === 1 ? 1 : first.length;
    for (let row = 0; row < Math.min(rows, height - top); row += 1) {
      for (let column = 0; column < Math.min(segmentWidth, width - left); column += 1) {
        data[(top + row) * width + left + column] = shade(joined, (row * segmentWidth + column) * interleaved, step);
      }
    }
  }
}

const isLike = (page: TiffPage, other: TiffPage): boolean =>
  page.width === other.width && page.height === other.height && page.bits === other.bits && page.kind === other.kind
  && page.photometric === other.photometric && page.samples === other.samples;

function originOf(page: TiffPage): Origin {
  const { kind, bits, photometric } = page;
  if (isPicture(page)) return { format: 'picture', bitDepth: bits === 16 ? 16 : 8 };
  const type: NumberType = kind === 'float' ? (bits === 64 ? 'float64' : 'float32')
    : kind === 'uint' ? 'uint32' : bits === 8 ? 'int8' : bits === 16 ? 'int16' : 'int32';
  return { format: 'plain', type: photometric === 2 ? 'float32' : type };
}

/**
 * Reads a TIFF 6.0 file, its pages of the same size and kind as slices: strips or tiles; uncompressed, LZW, deflate or
 * PackBits; grey, RGB and palette (as luma). Unsigned whole numbers of 8 and 16 bits become [0, 1], stored value /
 * (2^bits − 1), as in PNG; all others (signed, 32 bits, floating point) keep their values. WhiteIsZero is inverted.
 *
 * @throws FormatError for BigTIFF, JPEG and fax compression, fewer than 8 bits, CMYK and YCbCr, pictures above 2^26
 *   pixels, cyclic pages, damaged or cut-short data
 */
export function readTiff(file: NamedBytes): Volume {
  return refusing('tiff', () => {
    const { littleEndian, pages, asides } = tiffPages(file.bytes);
    const [first] = pages;
    if (!first) throw new FormatError('tiff: the file holds no picture; export it again');
    const slices = pages.filter((page) => isLike(page, first));
    const pixels = first.width * first.height;
    const stored = slices.flatMap(({ segments }) => segments).reduce((total, [, count]) => total + count, 0);
    if (pixels * slices.length * first.bits / 8 > stored * LARGEST_TIFF_EXPANSION) {
      throw new FormatError(
        `tiff: ${slices.length} pages of ${first.width} × ${first.height} cannot be held by ${stored} bytes; ` +
        'the file is damaged, export it again',
      );
    }
    const data = allocateVoxels('tiff', pixels * slices.length);
    for (const [index, page] of slices.entries()) {
      decodePage(page, file.bytes, littleEndian, data.subarray(index * pixels, (index + 1) * pixels));
    }
    const leftOut = pages.length - slices.length + asides;
    const colour = first.photometric > 1;
    return {
      name: imageTitle(file.name),
      format: 'tiff',
      ...UNPLACED,
      columns: first.width,
      rows: first.height,
      slices: slices.length,
      data,
      origin: originOf(first),
      notices: [
        ...(colour ? [COLOUR_NOTICE] : []),
        ...(!colour && first.samples > 1 ? [`Only the first of the file's ${first.samples} channels is shown.`] : []),
        ...(leftOut > 0 ? [`Pages of another size or kind were left out: ${leftOut}.`] : []),
        ...(slices.some(({ orientation }) => orientation !== 1)
          ? ['The file asks for the picture to be turned; it is shown as stored.'] : []),
      ],
    };
  });
}
