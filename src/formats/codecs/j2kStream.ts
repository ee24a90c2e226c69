import { FormatError } from '../volume.ts';
import type { StreamHeader } from './frameSamples.ts';
import { checkWork, readCodingStyle, readComponentStyle } from './j2kCodingStyle.ts';
import type { CodingStyle } from './j2kCodingStyle.ts';

/** Marker codes (ITU-T T.800, table A.2). */
const SOC = 0xff4f;
const SIZ = 0xff51;
const COD = 0xff52;
const COC = 0xff53;
const POC = 0xff5f;
const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
/** Each tile has its own parameters, kilobytes in a decoder; 8192 × 8192 pixels in tiles of 128 × 128. */
const MAX_TILES = 4096;
const JP2_SIGNATURE = 0x6a502020;
const CODESTREAM_BOX = 0x6a703263;

export interface J2kStream extends StreamHeader {
  readonly signed: boolean;
  /** The wavelet is reversible: the image is lossless unless layers were dropped. */
  readonly reversible: boolean;
  /** The first three components were transformed from RGB, and are turned back. */
  readonly colourTransform: boolean;
  /** The codestream alone, without the boxes of a JP2 file, which DICOM forbids but some writers leave. */
  readonly codestream: Uint8Array;
}

interface Size extends StreamHeader {
  readonly signed: boolean;
  readonly tileColumns: number;
  readonly tileRows: number;
  readonly tiles: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The contents of a JP2 file's codestream box (T.800, annex I), or the bytes where they are no JP2 file. */
function codestreamOf(operation: string, bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes);
  if (bytes.length < 12 || view.getUint32(4) !== JP2_SIGNATURE) return bytes;
  for (let at = 0; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const long = length === 1 && at + 16 <= bytes.length;
    const start = at + (long ? 16 : 8);
    const end = length === 0 ? bytes.length : at + (long ? Number(view.getBigUint64(at + 8)) : length);
    if (end < start || end > bytes.length) break;
    if (view.getUint32(at + 4) === CODESTREAM_BOX) return bytes.subarray(start, end);
    at = end;
  }
  throw new FormatError(`${operation}: found a JP2 file without its image; the file is damaged, export it again`);
}

/** SIZ (A.5.1). */
function readSize(operation: string, content: Uint8Array): Size {
  const view = viewOf(content);
  const components = view.getUint16(34);
  const [right, bottom, left, top, tileColumns, tileRows, tileLeft, tileTop] =
    Array.from({ length: 8 }, (_, index) => view.getUint32(2 + 4 * index)) as
      [number, number, number, number, number, number, number, number];
  if (left !== 0 || top !== 0 || tileLeft !== 0 || tileTop !== 0) {
    throw new FormatError(`${operation}: images with an offset on the canvas are not supported; export it again`);
  }
  const tiles = Math.ceil(right / tileColumns) * Math.ceil(bottom / tileRows);
  if (!(tiles >= 1 && tiles <= MAX_TILES)) {
    throw new FormatError(
      `${operation}: the image is divided into ${tiles} tiles, expected 1 to ${MAX_TILES}; the file is damaged, ` +
      'export it again',
    );
  }
  const depth = content[36] ?? 0;
  for (let index = 0; index < components; index += 1) {
    // Depth, and the distances between samples.
    if (view.getUint8(36 + 3 * index) !== depth || view.getUint16(37 + 3 * index) !== 0x0101) {
      throw new FormatError(
        `${operation}: components of different depth or resolution are not supported; export the image again`,
      );
    }
  }
  return {
    columns: right, rows: bottom, components, precision: (depth & 0x7f) + 1, signed: depth >= 0x80,
    tileColumns, tileRows, tiles,
  };
}

/**
 * Reads a JPEG 2000 or HTJ2K codestream's headers, of all its tile-parts, without decoding anything: so that neither
 * sizes nor numbers of tiles, packets and code-blocks are left for a decoder to stumble over, and a stream that was cut
 * short is known as such (decoders fill what is missing with something).
 *
 * @throws FormatError where headers are damaged or beyond what is supported, or tile-parts are missing
 */
export function readJ2kStream(operation: string, bytes: Uint8Array): J2kStream {
  const codestream = codestreamOf(operation, bytes);
  const view = viewOf(codestream);
  const damaged = (): FormatError =>
    new FormatError(`${operation}: the compressed image is damaged or cut short; export or download it again`);
  const styles: CodingStyle[] = [];
  let main: CodingStyle | null = null;
  let size: Size | null = null;
  let progressions = 1;
  /** Tile-parts still expected, by tile; 0 where their number was not declared. */
  const tileParts = new Map<number, number>();
  /** Where the tile-part ends whose header is being read; 0 within the main header. */
  let partEnd = 0;
  let at = 0;
  try {
    if (view.getUint16(0) !== SOC || view.getUint16(2) !== SIZ) throw damaged();
    for (at = 2; ;) {
      // The end marker may be missing where all else is there.
      if (partEnd === at && at + 1 >= codestream.length) break;
      const marker = view.getUint16(at);
      if (marker === EOC) break;
      if (marker === SOD) {
        if (partEnd < at + 2) throw damaged();
        at = partEnd;
        continue;
      }
      // What follows the last tile-part may be padding, and the end marker was forgotten.
      const complete = partEnd === at && size !== null && tileParts.size === size.tiles;
      if (complete && marker !== SOT && codestream.length - at <= 2) break;
      const next = at + 2 + view.getUint16(at + 2);
      // Within a tile-part, its header ends before it; after one, another begins.
      const allowed = marker === SOT ? partEnd === 0 || partEnd === at : partEnd === 0 || next < partEnd;
      if (!allowed || next < at + 4 || next > codestream.length) throw damaged();
      const content = codestream.subarray(at + 4, next);
      if (marker === SIZ) {
        if (size) throw damaged();
        size = readSize(operation, content);
      }
      if (marker === COD) {
        const style = readCodingStyle(operation, content);
        styles.push(style);
        main ??= style;
      }
      if (marker === COC) {
        if (!size || !main) throw damaged();
        styles.push(readComponentStyle(operation, content.subarray(size.components < 257 ? 1 : 2), main));
      }
      if (marker === POC) progressions += Math.ceil(content.length / 7);
      if (marker === SOT) {
        const part = viewOf(content);
        const [tile, length, index, count] =
          [part.getUint16(0), part.getUint32(2), part.getUint8(6), part.getUint8(7)];
        if (!size || !main || tile >= size.tiles) throw damaged();
        tileParts.set(tile, count === 0 ? tileParts.get(tile) ?? 0 : count - index - 1);
        // Length 0: this tile-part is the last and goes on to the end marker.
        partEnd = length === 0 ? endOf(codestream) : at + length;
        if (partEnd < at + 14 || partEnd > codestream.length) throw damaged();
      }
      at = next;
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw damaged();
  }
  const missing = size === null || tileParts.size !== size.tiles || [...tileParts.values()].some((left) => left > 0);
  if (!size || !main || missing) throw damaged();
  checkWork(operation, size, styles, progressions);
  const { columns, rows, components, precision, signed } = size;
  return {
    columns, rows, components, precision, signed, codestream,
    reversible: styles.every((style) => style.reversible),
    colourTransform: main.colourTransform && components >= 3,
  };
}

/** Where the end marker begins, which padding may follow; 0 where it is missing. */
function endOf(codestream: Uint8Array): number {
  for (let at = codestream.length - 2; at > 0 && at >= codestream.length - 4; at -= 1) {
    if (codestream[at] === EOC >> 8 && codestream[at + 1] === (EOC & 0xff)) return at;
  }
  return 0;
}
