import type { NumberType } from './volume.ts';

/** How bytes become values: one stored number, or one colour. */
export interface VoxelType {
  /** For sentences. */
  readonly name: string;
  /** Bytes per voxel. */
  readonly size: number;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
  /** The same numbers as an array of the platform, for little-endian data; null where there is none. */
  readonly array: (new (buffer: ArrayBufferLike, offset: number, length: number) => ArrayLike<number>) | null;
}

/** Real numbers as files store them. */
export type StoredType = NumberType | 'int64' | 'uint64';

/** A number that can be written, too. */
export interface StoredNumber extends VoxelType {
  readonly name: StoredType;
  /** Writes a value that is whole and lies within the range, where there is one. */
  readonly write: (view: DataView, offset: number, value: number, littleEndian: boolean) => void;
  /** Range of the integers, null for floating point. */
  readonly range: readonly [number, number] | null;
}

/** Every real number type of NIfTI, NRRD, MetaImage and npy. */
export const STORED_NUMBERS: Readonly<Record<StoredType, StoredNumber>> = {
  int8: {
    name: 'int8', size: 1, array: Int8Array, range: [-128, 127],
    read: (v, o) => v.getInt8(o), write: (v, o, x) => v.setInt8(o, x),
  },
  uint8: {
    name: 'uint8', size: 1, array: Uint8Array, range: [0, 255],
    read: (v, o) => v.getUint8(o), write: (v, o, x) => v.setUint8(o, x),
  },
  int16: {
    name: 'int16', size: 2, array: Int16Array, range: [-32768, 32767],
    read: (v, o, le) => v.getInt16(o, le), write: (v, o, x, le) => v.setInt16(o, x, le),
  },
  uint16: {
    name: 'uint16', size: 2, array: Uint16Array, range: [0, 65535],
    read: (v, o, le) => v.getUint16(o, le), write: (v, o, x, le) => v.setUint16(o, x, le),
  },
  int32: {
    name: 'int32', size: 4, array: Int32Array, range: [-(2 ** 31), 2 ** 31 - 1],
    read: (v, o, le) => v.getInt32(o, le), write: (v, o, x, le) => v.setInt32(o, x, le),
  },
  uint32: {
    name: 'uint32', size: 4, array: Uint32Array, range: [0, 2 ** 32 - 1],
    read: (v, o, le) => v.getUint32(o, le), write: (v, o, x, le) => v.setUint32(o, x, le),
  },
  // The largest doubles within the 64-bit ranges: 2^63 and 2^64 themselves would wrap.
  int64: {
    name: 'int64', size: 8, array: null, range: [-(2 ** 63), 2 ** 63 - 1024],
    read: (v, o, le) => Number(v.getBigInt64(o, le)), write: (v, o, x, le) => v.setBigInt64(o, BigInt(x), le),
  },
  uint64: {
    name: 'uint64', size: 8, array: null, range: [0, 2 ** 64 - 2048],
    read: (v, o, le) => Number(v.getBigUint64(o, le)), write: (v, o, x, le) => v.setBigUint64(o, BigInt(x), le),
  },
  float32: {
    name: 'float32', size: 4, array: Float32Array, range: null,
    read: (v, o, le) => v.getFloat32(o, le), write: (v, o, x, le) => v.setFloat32(o, x, le),
  },
  float64: {
    name: 'float64', size: 8, array: Float64Array, range: null,
    read: (v, o, le) => v.getFloat64(o, le), write: (v, o, x, le) => v.setFloat64(o, x, le),
  },
};

/** The type as a volume's origin names it. */
export function numberTypeOf(type: StoredType): NumberType {
  return type === 'int64' || type === 'uint64' ? 'float64' : type;
}
