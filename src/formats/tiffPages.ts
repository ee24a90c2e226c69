import { FormatError } from './volume.ts';

/** How one page of a TIFF lies in the file (TIFF 6.0, sections 2, 8, 14 and 15), checked against the file's length. */
export interface TiffPage {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** SampleFormat. */
  readonly kind: 'uint' | 'int' | 'float';
  readonly samples: number;
  /** 0 WhiteIsZero, 1 BlackIsZero, 2 RGB, 3 palette. */
  readonly photometric: number;
  readonly compression: number;
  readonly predictor: number;
  readonly orientation: number;
  /** Red, then green, then blue entries of 16 bits. */
  readonly colourMap: readonly number[];
  /** Samples side by side in each segment: all of them, or 1 where every sample has segments of its own. */
  readonly interleaved: number;
  /** Strips, as wide as the page, or tiles, which reach beyond its edges. */
  readonly segmentWidth: number;
  readonly segmentHeight: number;
  readonly tiled: boolean;
  /** Offset and byte count of each segment: left to right, top to bottom, sample by sample. */
  readonly segments: readonly (readonly [offset: number, count: number])[];
}

/** What was found: pages of the picture itself, and how many copies at other resolutions or masks there are beside. */
export interface TiffPages {
  readonly littleEndian: boolean;
  readonly pages: readonly TiffPage[];
  readonly asides: number;
}

/** 8192 × 8192: more than any detector's picture. */
const MAX_PIXELS = 2 ** 26;
const MAX_TILE_PIXELS = 2 ** 24;
const MAX_SAMPLES = 64;

const NEW_SUBFILE_TYPE = 254;
const WIDTH = 256;
const HEIGHT = 257;
const BITS = 258;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const STRIP_OFFSETS = 273;
const ORIENTATION = 274;
const SAMPLES = 277;
const ROWS_PER_STRIP = 278;
const STRIP_BYTE_COUNTS = 279;
const PLANAR = 284;
const PREDICTOR = 317;
const COLOUR_MAP = 320;
const TILE_WIDTH = 322;
const TILE_HEIGHT = 323;
const TILE_OFFSETS = 324;
const TILE_BYTE_COUNTS = 325;
const SAMPLE_FORMAT = 339;

const damaged = (): FormatError =>
  new FormatError('tiff: the file is damaged or cut short; export or download it again');

/** Whether the content begins as TIFF, also as BigTIFF, which is then refused by name. */
export function isTiffHeader(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  if (first === 0x49 && second === 0x49) return (third === 42 || third === 43) && fourth === 0;
  return first === 0x4d && second === 0x4d && third === 0 && (fourth === 42 || fourth === 43);
}

/** Reads the numbers of a field: [tag, type, count, value or offset]. */
type Field = (tag: number, limit: number) => number[];

/** One directory's fields; only those asked for are read. */
function directoryAt(
  view: DataView, at: number, littleEndian: boolean,
): { field: Field; entries: number; next: number } {
  const entries = view.getUint16(at, littleEndian);
  const places = new Map<number, number>();
  for (let index = 0; index < entries; index += 1) {
    const place = at + 2 + 12 * index;
    places.set(view.getUint16(place, littleEndian), place);
  }
  const field: Field = (tag, limit) => {
    const place = places.get(tag);
    if (place === undefined) return [];
    const type = view.getUint16(place + 2, littleEndian);
    const size = ({ 1: 1, 3: 2, 4: 4 } as Readonly<Record<number, number>>)[type];
    if (size === undefined) throw damaged();
    const all = view.getUint32(place + 4, littleEndian);
    const count = Math.min(all, limit);
    const start = all * size <= 4 ? place + 8 : view.getUint32(place + 8, littleEndian);
    if (start + count * size > view.byteLength) throw damaged();
    return Array.from({ length: count }, (_, index) => {
      const position = start + index * size;
      if (size === 1) return view.getUint8(position);
      return size === 2 ? view.getUint16(position, littleEndian) : view.getUint32(position, littleEndian);
    });
  };
  return { field, entries, next: view.getUint32(at + 2 + 12 * entries, littleEndian) };
}

function pageOf(field: Field): TiffPage {
  const one = (tag: number, otherwise: number): number => field(tag, 1)[0] ?? otherwise;
  const width = one(WIDTH, 0);
  const height = one(HEIGHT, 0);
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new FormatError(
      `tiff: the picture is ${width} × ${height}, expected 1 to ${MAX_PIXELS} pixels; downsample it`,
    );
  }
  const samples = one(SAMPLES, 1);
  if (samples < 1 || samples > MAX_SAMPLES) throw damaged();
  const allBits = field(BITS, samples);
  const bits = allBits[0] ?? 1;
  const format = one(SAMPLE_FORMAT, 1);
  const kind = format === 3 ? 'float' : format === 2 ? 'int' : 'uint';
  const supported = kind === 'float' ? bits === 32 || bits === 64 : bits === 8 || bits === 16 || bits === 32;
  if (!supported || format > 4 || allBits.some((other) => other !== bits)) {
    throw new FormatError(
      `tiff: ${allBits.join(', ') || 1} bits of sample format ${format} are not supported; ` +
      'save 8 or 16 bits or float32',
    );
  }
  const interleaved = one(PLANAR, 1) === 2 ? 1 : samples;
  const tiled = field(TILE_WIDTH, 1).length > 0;
  const segmentWidth = tiled ? one(TILE_WIDTH, 0) : width;
  const segmentHeight = tiled ? one(TILE_HEIGHT, 0) : Math.min(height, one(ROWS_PER_STRIP, height));
  if (segmentWidth < 1 || segmentHeight < 1) throw damaged();
  if (tiled && segmentWidth * segmentHeight > MAX_TILE_PIXELS) throw damaged();
  const count = Math.ceil(width / segmentWidth) * Math.ceil(height / segmentHeight) * (samples / interleaved);
  const offsets = field(tiled ? TILE_OFFSETS : STRIP_OFFSETS, count);
  const compression = one(COMPRESSION, 1);
  // Uncompressed files of old leave the byte counts out; a last strip ends with the page.
  const down = Math.ceil(height / segmentHeight);
  const plain = (index: number): number => segmentWidth * interleaved * bits / 8 *
    Math.min(segmentHeight, tiled ? segmentHeight : height - (index % down) * segmentHeight);
  const byteCounts = field(tiled ? TILE_BYTE_COUNTS : STRIP_BYTE_COUNTS, count);
  const counted = byteCounts.length === count || (byteCounts.length === 0 && compression === 1);
  if (offsets.length < count || !counted) throw damaged();
  return {
    width, height, bits, kind, samples, compression, interleaved, segmentWidth, segmentHeight, tiled,
    photometric: one(PHOTOMETRIC, 1),
    predictor: one(PREDICTOR, 1),
    orientation: one(ORIENTATION, 1),
    colourMap: one(PHOTOMETRIC, 1) === 3 ? field(COLOUR_MAP, 3 * 2 ** Math.min(bits, 16)) : [],
    segments: offsets.map((offset, index) => [offset, byteCounts[index] ?? plain(index)] as const),
  };
}

/**
 * Follows the chain of directories, each of which is read once.
 *
 * @throws FormatError for cyclic or overlapping directories, BigTIFF, unsupported samples and sizes that make no sense
 */
export function tiffPages(bytes: Uint8Array): TiffPages {
  if (!isTiffHeader(bytes) || bytes.length < 14) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = bytes[0] === 0x49;
  if (view.getUint16(2, littleEndian) === 43) {
    throw new FormatError('tiff: BigTIFF (above 4 GB) is not supported; save the image as several TIFF files or NIfTI');
  }
  const pages: TiffPage[] = [];
  const seen = new Set<number>();
  let asides = 0;
  let entries = 0;
  let stored = 0;
  for (let at = view.getUint32(4, littleEndian); at !== 0;) {
    if (seen.has(at)) {
      throw new FormatError('tiff: the list of pages leads back into itself; the file is damaged, export it again');
    }
    seen.add(at);
    const directory = directoryAt(view, at, littleEndian);
    entries += directory.entries;
    const aside = ((directory.field(NEW_SUBFILE_TYPE, 1)[0] ?? 0) & 5) !== 0;
    if (aside) {
      asides += 1;
    } else {
      const page = pageOf(directory.field);
      stored += page.segments.reduce((total, [, count]) => total + count, 0);
      pages.push(page);
    }
    // Directories or pixels that share bytes would make a small file arbitrarily large.
    if (entries * 12 > bytes.length || stored > bytes.length) throw damaged();
    at = directory.next;
  }
  if (pages.length === 0) throw damaged();
  return { littleEndian, pages, asides };
}
