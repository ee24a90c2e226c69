import { FormatError } from './volume.ts';

/** A stretch of bytes, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const ITEM = 0xfffee000;
const SEQUENCE_END = 0xfffee0dd;
/** A fragment of each frame's every stripe would be fewer. */
const MAX_FRAGMENTS = 2 ** 20;

/**
 * The items of encapsulated pixel data (PS3.5, A.4), always little endian, up to the delimiter.
 *
 * @throws FormatError where an item reaches beyond the file or the delimiter is missing: the file is cut short
 */
export function itemsWithin(bytes: Uint8Array, start: number): Span[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Span[] = [];
  let at = start;
  while (at + 8 <= bytes.length && items.length < MAX_FRAGMENTS) {
    const tag = view.getUint16(at, true) * 0x10000 + view.getUint16(at + 2, true);
    if (tag === SEQUENCE_END) return items;
    const end = at + 8 + view.getUint32(at + 4, true);
    if (tag !== ITEM || end > bytes.length) break;
    items.push({ start: at + 8, end });
    at = end;
  }
  throw new FormatError(
    `dicom: the compressed pixel data ends without its delimiter after ${items.length} pieces; the file is cut ` +
    'short, export or copy it again',
  );
}
