import { inflate } from './gzip.ts';
import { FormatError } from './volume.ts';

/** TIFF's names of compressions that are not undone here. */
const REFUSED: Readonly<Record<number, string>> = {
  2: 'CCITT', 3: 'CCITT Group 3', 4: 'CCITT Group 4', 6: 'JPEG', 7: 'JPEG', 34712: 'JPEG 2000', 34925: 'LZMA',
  50000: 'Zstandard', 50001: 'WebP',
};
const ZLIB_HEADER = 2;

/** The longest run of bytes that one compressed byte can stand for: LZW's codes of 12 bits and 4096 entries. */
export const LARGEST_TIFF_EXPANSION = 4096;

/** Fills `out` with the inflated stream; returns how much of it there was. */
function inflateInto(bytes: Uint8Array, out: Uint8Array): number {
  let filled = 0;
  inflate(bytes.subarray(ZLIB_HEADER), 'deflate', (chunk) => {
    const part = chunk.subarray(0, out.length - filled);
    out.set(part, filled);
    filled += part.length;
    return filled < out.length;
  });
  return filled;
}

/** PackBits (TIFF 6.0, section 9). */
function unpackBits(bytes: Uint8Array, out: Uint8Array): number {
  let filled = 0;
  for (let at = 0; at < bytes.length && filled < out.length;) {
    const control = bytes[at] ?? 0;
    if (control < 128) {
      const part = bytes.subarray(at + 1, at + 2 + Math.min(control, out.length - filled - 1));
      out.set(part, filled);
      filled += part.length;
      at += control + 2;
    } else {
      const count = control === 128 ? 0 : Math.min(257 - control, out.length - filled);
      out.fill(bytes[at + 1] ?? 0, filled, filled + count);
      filled += count;
      at += control === 128 ? 1 : 2;
    }
  }
  return filled;
}

const CLEAR = 256;
const END = 257;
const FIRST_FREE = 258;
const TABLE = 4096;

/** LZW (TIFF 6.0, section 13): codes of 9 to 12 bits, high bit first, widened one code early. */
function unpackLzw(bytes: Uint8Array, out: Uint8Array): number {
  const prefix = new Uint16Array(TABLE);
  const lengths = new Uint16Array(TABLE).fill(1, 0, CLEAR);
  const firsts = Uint8Array.from({ length: TABLE }, (_, code) => code & 255);
  const lasts = firsts.slice();
  let free = FIRST_FREE;
  let width = 9;
  let previous = -1;
  let filled = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; filled < out.length;) {
    while (count < width && at < bytes.length) {
      bits = ((bits << 8) | (bytes[at] ?? 0)) & 0xffffff;
      count += 8;
      at += 1;
    }
    if (count < width) break;
    count -= width;
    const code = (bits >> count) & ((1 << width) - 1);
    if (code === END) break;
    if (code === CLEAR) {
      free = FIRST_FREE;
      width = 9;
      previous = -1;
      continue;
    }
    // Only the code that is about to be defined may be used before it is.
    if (code > free || (code === free && previous < 0) || (code >= FIRST_FREE && previous < 0)) break;
    if (previous >= 0 && free < TABLE) {
      prefix[free] = previous;
      lengths[free] = (lengths[previous] ?? 0) + 1;
      firsts[free] = firsts[previous] ?? 0;
      lasts[free] = firsts[code === free ? previous : code] ?? 0;
      free += 1;
    } else if (code === free) break;
    const length = lengths[code] ?? 0;
    for (let step = length - 1, walked = code; step >= 0; step -= 1) {
      if (filled + step < out.length) out[filled + step] = lasts[walked] ?? 0;
      walked = prefix[walked] ?? 0;
    }
    filled = Math.min(out.length, filled + length);
    previous = code;
    if (free >= (1 << width) - 1 && width < 12) width += 1;
  }
  return filled;
}

/**
 * Exactly `size` bytes of a strip or tile.
 *
 * @param compression the field of that name (259)
 * @throws FormatError for other compressions, and where the data is damaged or too short
 */
export function uncompressed(bytes: Uint8Array, compression: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const filled = ((): number => {
    switch (compression) {
      case 1:
        out.set(bytes.subarray(0, size));
        return Math.min(bytes.length, size);
      case 5: return unpackLzw(bytes, out);
      case 8: case 32946: return inflateInto(bytes, out);
      case 32773: return unpackBits(bytes, out);
      default: throw new FormatError(
        `tiff: ${REFUSED[compression] ?? `compression ${compression}`} is not supported; save the picture with LZW ` +
        'or deflate, or uncompressed',
      );
    }
  })();
  if (filled === size) return out;
  throw new FormatError(
    `tiff: a part of the picture needs ${size} bytes, found ${filled}; the file is damaged or cut short, ` +
    'export it again',
  );
}
