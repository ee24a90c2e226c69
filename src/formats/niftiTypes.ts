import { luma } from './luma.ts';
import { STORED_NUMBERS } from './numberTypes.ts';
import type { StoredNumber, StoredType, VoxelType } from './numberTypes.ts';
import { FormatError } from './volume.ts';

/** One NIfTI number type. Grey values are rescaled by scl_slope and scl_inter, colours become luma and are not. */
export interface NiftiType {
  readonly code: number;
  readonly voxel: VoxelType;
  /** How it is written; null for colours, whose results are written as float32 instead. */
  readonly number: StoredNumber | null;
}

const grey = (code: number, type: StoredType): NiftiType =>
  ({ code, voxel: STORED_NUMBERS[type], number: STORED_NUMBERS[type] });

const readLuma: VoxelType['read'] = (view, offset) =>
  luma(view.getUint8(offset), view.getUint8(offset + 1), view.getUint8(offset + 2));

const colour = (code: number, name: string, size: number): NiftiType =>
  ({ code, voxel: { name, size, read: readLuma, array: null }, number: null });

/** nifti1.h, "datatype": every type that holds one real number or a colour. */
export const NIFTI_TYPES: readonly NiftiType[] = [
  grey(2, 'uint8'), grey(256, 'int8'), grey(4, 'int16'), grey(512, 'uint16'), grey(8, 'int32'), grey(768, 'uint32'),
  grey(1024, 'int64'), grey(1280, 'uint64'), grey(16, 'float32'), grey(64, 'float64'),
  colour(128, 'RGB24', 3), colour(2304, 'RGBA32', 4),
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
