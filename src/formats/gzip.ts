import { Gunzip, Inflate } from 'fflate';
import { FormatError } from './volume.ts';

/** Small input pieces keep one step's output small: DEFLATE expands at most 1032 times, so 16 KiB give 16.5 MiB. */
const PIECE = 1 << 14;
/** A well-formed stream gives output long before this much input; one that does not is a forged header. */
const SILENT_INPUT = 1 << 20;

/** Whether the bytes begin as a gzip member (RFC 1952: 1f 8b, method 8). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/**
 * Inflates piece by piece and hands each piece on until `consume` says that it has enough, so that a bomb costs no
 * more than what was asked for.
 *
 * @param consume takes the next bytes and returns whether more are wanted
 * @returns whether `consume` was satisfied before the stream ended or broke
 */
export function inflate(
  bytes: Uint8Array,
  kind: 'gzip' | 'deflate',
  consume: (chunk: Uint8Array) => boolean,
): 'satisfied' | 'ended' | 'broken' {
  let wanted = true;
  let silent = 0;
  const onData = (chunk: Uint8Array): void => {
    if (chunk.length > 0) silent = 0;
    if (wanted && chunk.length > 0) wanted = consume(chunk);
  };
  const stream = kind === 'gzip' ? new Gunzip(onData) : new Inflate(onData);
  let failure: unknown = null;
  for (let start = 0; start < bytes.length && wanted; start += PIECE) {
    silent += PIECE;
    if (silent > SILENT_INPUT) return 'broken';
    try {
      stream.push(bytes.subarray(start, start + PIECE), start + PIECE >= bytes.length);
    } catch (error) {
      if (error instanceof FormatError) throw error;
      failure = error;
      break;
    }
  }
  if (!wanted) return 'satisfied';
  return failure === null ? 'ended' : 'broken';
}

/** The first `count` inflated bytes of a gzip stream, or as many as there are. */
export function inflateHead(bytes: Uint8Array, count: number): Uint8Array {
  const head = new Uint8Array(count);
  let filled = 0;
  inflate(bytes, 'gzip', (chunk) => {
    const part = chunk.subarray(0, count - filled);
    head.set(part, filled);
    filled += part.length;
    return filled < count;
  });
  return head.subarray(0, filled);
}

/**
 * A whole raw DEFLATE stream, no longer than `cap` bytes.
 *
 * @throws FormatError where the stream is damaged or inflates beyond the cap
 */
export function inflateWhole(bytes: Uint8Array, cap: number, operation: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const outcome = inflate(bytes, 'deflate', (chunk) => {
    total += chunk.length;
    if (total > cap) {
      throw new FormatError(`${operation}: the compressed part is larger than ${cap >> 20} MiB; save it uncompressed`);
    }
    chunks.push(chunk);
    return true;
  });
  if (outcome === 'broken') {
    throw new FormatError(`${operation}: the compressed part is damaged or cut short; export or download it again`);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
