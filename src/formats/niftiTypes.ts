import { FormatError } from './volume.ts';

/** One NIfTI number type: how a voxel is read from and written to bytes. */
export interface NiftiType {
  readonly code: number;
  readonly name: string;
  /** Bytes per voxel. */
  readonly size: number;
  /** Grey values are rescaled by scl_slope and scl_inter, colours become luma (ITU-R BT.601) and are not. */
  readonly colour: boolean;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
  /** Writes a value that already lies within [min, max]; null where a result is written as float32 instead. */
  readonly write: ((view: DataView, offset: number, value: number, littleEndian: boolean) => void) | null;
  /** The same numbers as an array of the platform, for little-endian data; null where there is none. */
  readonly array: (new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayLike<number>) | null;
  /** Range of the integers, null for floating point. */
  readonly range: readonly [number, number] | null;
}

const luma = (view: DataView, offset: number): number =>
  0.299 * view.getUint8(offset) + 0.587 * view.getUint8(offset + 1) + 0.114 * view.getUint8(offset + 2);

const integer = (
  code: number, name: string, size: number, array: NiftiType['array'], range: readonly [number, number],
  read: NiftiType['read'], write: NiftiType['write'],
): NiftiType => ({ code, name, size, colour: false, read, write, array, range });

const floating = (
  code: number, name: string, size: number, array: NiftiType['array'],
  read: NiftiType['read'], write: NiftiType['write'],
): NiftiType => ({ code, name, size, colour: false, read, write, array, range: null });

const colour = (code: number, name: string, size: number): NiftiType =>
  ({ code, name, size, colour: true, read: luma, write: null, array: null, range: null });

/** nifti1.h, "datatype": every type that holds one real number or a colour. */
export const NIFTI_TYPES: readonly NiftiType[] = [
  integer(2, 'uint8', 1, Uint8Array, [0, 255], (v, o) => v.getUint8(o), (v, o, x) => v.setUint8(o, x)),
  integer(256, 'int8', 1, Int8Array, [-128, 127], (v, o) => v.getInt8(o), (v, o, x) => v.setInt8(o, x)),
  integer(4, 'int16', 2, Int16Array, [-32768, 32767],
    (v, o, le) => v.getInt16(o, le), (v, o, x, le) => v.setInt16(o, x, le)),
  integer(512, 'uint16', 2, Uint16Array, [0, 65535],
    (v, o, le) => v.getUint16(o, le), (v, o, x, le) => v.setUint16(o, x, le)),
  integer(8, 'int32', 4, Int32Array, [-(2 ** 31), 2 ** 31 - 1],
    (v, o, le) => v.getInt32(o, le), (v, o, x, le) => v.setInt32(o, x, le)),
  integer(768, 'uint32', 4, Uint32Array, [0, 2 ** 32 - 1],
    (v, o, le) => v.getUint32(o, le), (v, o, x, le) => v.setUint32(o, x, le)),
  // The largest doubles within the 64-bit ranges: 2^63 and 2^64 themselves would wrap.
  integer(1024, 'int64', 8, null, [-(2 ** 63), 2 ** 63 - 1024],
    (v, o, le) => Number(v.getBigInt64(o, le)), (v, o, x, le) => v.setBigInt64(o, BigInt(x), le)),
  integer(1280, 'uint64', 8, null, [0, 2 ** 64 - 2048],
    (v, o, le) => Number(v.getBigUint64(o, le)), (v, o, x, le) => v.setBigUint64(o, BigInt(x), le)),
  floating(16, 'float32', 4, Float32Array,
    (v, o, le) => v.getFloat32(o, le), (v, o, x, le) => v.setFloat32(o, x, le)),
  floating(64, 'float64', 8, Float64Array,
    (v, o, le) => v.getFloat64(o, le), (v, o, x, le) => v.setFloat64(o, x, le)),
  colour(128, 'RGB24', 3),
  colour(2304, 'RGBA32', 4),
];

const UNSUPPORTED: Readonly<Record<number, string>> = {
  0: 'unknown', 1: 'binary', 32: 'complex64', 1536: 'float128', 1792: 'complex128', 2048: 'complex256',
};

/**
 * The number type of a header's `datatype` field.
 *
 * @throws FormatError for complex, binary, 128-bit and unheard-of types
 */
export function niftiType(code: number): NiftiType {
  const type = NIFTI_TYPES.find((candidate) => candidate.code === code);
  if (type) return type;
  const name = UNSUPPORTED[code];
  throw new FormatError(
    `nifti: datatype ${code}${name ? ` (${name})` : ''} is not supported; convert the image to float32`,
  );
}
