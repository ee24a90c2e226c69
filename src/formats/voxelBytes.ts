import { inflate } from './gzip.ts';
import type { StoredNumber, VoxelType } from './numberTypes.ts';
import { FormatError } from './volume.ts';

/** DEFLATE expands at most this much (RFC 1951), so a shorter file cannot hold what its header declares. */
const LARGEST_EXPANSION = 1032;
const ZLIB_HEADER = 2;

/** Voxels one after another in a file. */
export interface StoredVoxels {
  /** The format's name, which begins sentences. */
  readonly operation: string;
  readonly bytes: Uint8Array;
  readonly packing: 'none' | 'gzip' | 'zlib';
  /** Bytes before the first voxel, once unpacked. */
  readonly skip: number;
  readonly type: VoxelType;
  readonly littleEndian: boolean;
  /** How many there are. */
  readonly count: number;
  /** value = slope · stored + intercept. */
  readonly slope: number;
  readonly intercept: number;
}

function cutShort({ operation, count, type, skip }: StoredVoxels, found: string): FormatError {
  return new FormatError(
    `${operation}: ${count} voxels of ${type.name} need ${skip + count * type.size} bytes, ${found}; ` +
    'the file is cut short, download or copy it again',
  );
}

/** To be asked before memory is sized by a header. @throws FormatError where the bytes cannot hold the voxels */
export function checkHolds(stored: StoredVoxels): void {
  const { bytes, packing, skip, count, type } = stored;
  const available = packing === 'none' ? bytes.length : bytes.length * LARGEST_EXPANSION;
  if (!(skip >= 0 && skip + count * type.size <= available)) {
    throw cutShort(stored, `the file can hold only ${available}`);
  }
}

/** Decodes voxels as their bytes arrive, in pieces of any length. */
function voxelDecoder({ type, littleEndian, slope, intercept }: StoredVoxels, data: Float32Array) {
  const scaled = slope !== 1 || intercept !== 0;
  const carry = new Uint8Array(type.size);
  let carried = 0;
  let filled = 0;
  const decode = (bytes: Uint8Array, count: number): void => {
    if (type.array && (littleEndian || type.size === 1)) {
      const aligned = bytes.byteOffset % type.size === 0 ? bytes : bytes.slice(0, count * type.size);
      const values = new type.array(aligned.buffer, aligned.byteOffset, count);
      const part = data.subarray(filled, filled + count);
      part.set(values);
      if (scaled) for (let index = 0; index < count; index += 1) part[index] = (values[index] ?? 0) * slope + intercept;
      filled += count;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index += 1) {
      data[filled + index] = type.read(view, index * type.size, littleEndian) * slope + intercept;
    }
    filled += count;
  };
  return {
    /** Takes the next bytes; returns whether voxels are still missing. */
    push(chunk: Uint8Array): boolean {
      let rest = chunk;
      if (carried > 0) {
        const part = rest.subarray(0, type.size - carried);
        carry.set(part, carried);
        carried += part.length;
        rest = rest.subarray(part.length);
        if (carried < type.size) return true;
        carried = 0;
        if (filled < data.length) decode(carry, 1);
      }
      const whole = Math.min(Math.floor(rest.length / type.size), data.length - filled);
      decode(rest, whole);
      if (filled === data.length) return false;
      carry.set(rest.subarray(whole * type.size));
      carried = rest.length - whole * type.size;
      return true;
    },
    filled: () => filled,
  };
}

/**
 * Decodes voxels into `data`, which has room for `count`. Checksums of compressed data are not verified.
 *
 * @throws FormatError where the bytes end or break before the last voxel
 */
export function decodeVoxels(stored: StoredVoxels, data: Float32Array): void {
  checkHolds(stored);
  const { bytes, packing, skip, count, type } = stored;
  const decoder = voxelDecoder(stored, data);
  if (packing === 'none') {
    decoder.push(bytes.subarray(skip, skip + count * type.size));
    return;
  }
  let ahead = skip;
  const deflated = packing === 'gzip' ? bytes : bytes.subarray(ZLIB_HEADER);
  inflate(deflated, packing === 'gzip' ? 'gzip' : 'deflate', (chunk) => {
    const skipped = Math.min(ahead, chunk.length);
    ahead -= skipped;
    return decoder.push(chunk.subarray(skipped));
  });
  if (decoder.filled() < count) {
    throw cutShort(stored, `the compressed data ends or breaks after ${decoder.filled()} voxels`);
  }
}

/** How values are written: stored = (value − intercept) / slope. */
export interface Encoding {
  readonly littleEndian: boolean;
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Writes values from byte `at` on; integers are rounded and clamped to their range. Integers cannot hold NaN: such
 * voxels are written as the number nearest to the value 0.
 */
export function encodeVoxels(
  data: Float32Array, type: StoredNumber, { littleEndian, slope, intercept }: Encoding, view: DataView, at: number,
): void {
  const [least, most] = type.range ?? [0, 0];
  for (let index = 0; index < data.length; index += 1) {
    const stored = ((data[index] ?? 0) - intercept) / slope;
    const value = type.range === null ? stored
      : Math.min(most, Math.max(least, Math.round(Number.isNaN(stored) ? -intercept / slope : stored)));
    type.write(view, at + index * type.size, value, littleEndian);
  }
}
