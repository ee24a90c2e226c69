import { NIFTI1, NIFTI2 } from 'nifti-reader-js';
import { refusing } from './guard.ts';
import { FormatError } from './volume.ts';

/** The fields of a NIfTI-1 or NIfTI-2 header that readers and writers use, checked. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Voxels lie in a second file (.img). */
  readonly pair: boolean;
  /** dim[1] … dim[dim[0]], each at least 1. */
  readonly dims: readonly number[];
  readonly datatype: number;
  /** pixdim[0] (qfac) … pixdim[7], as stored. */
  readonly pixdim: readonly number[];
  /** Bytes before the first voxel. */
  readonly voxOffset: number;
  /** scl_slope and scl_inter; 1 and 0 where the header says that they are unused (slope 0 or not finite). */
  readonly slope: number;
  readonly intercept: number;
  readonly description: string;
  readonly xyztUnits: number;
  readonly qformCode: number;
  readonly sformCode: number;
  /** quatern_b, c, d and qoffset_x, y, z. */
  readonly quaternion: readonly number[];
  readonly offset: readonly number[];
  /** srow_x, srow_y, srow_z. */
  readonly srow: readonly number[];
  /** The header's own bytes: 348 (NIfTI-1) or 540 (NIfTI-2). */
  readonly bytes: Uint8Array;
}

/** Enough bytes to recognise and parse either version. */
export const NIFTI_HEAD = 544;

interface Kind { readonly version: 1 | 2; readonly littleEndian: boolean; readonly pair: boolean }

function kindOf(bytes: Uint8Array): Kind | null {
  if (bytes.length < 348) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    if (size !== 348 && size !== 540) continue;
    const at = size === 348 ? 344 : 4;
    const magic = String.fromCharCode(...bytes.subarray(at, at + 3));
    const version = size === 348 ? 1 : 2;
    if (magic === `n+${version}` || magic === `ni${version}`) return { version, littleEndian, pair: magic[1] === 'i' };
  }
  return null;
}

/** Whether the (already inflated) bytes begin with a NIfTI header: sizeof_hdr and magic agree. */
export function isNiftiHeader(bytes: Uint8Array): boolean {
  return kindOf(bytes) !== null;
}

/** Whether they begin with the header of a .hdr/.img pair. */
export function isNiftiPairHeader(bytes: Uint8Array): boolean {
  return kindOf(bytes)?.pair === true;
}

function checkedDims(dims: readonly number[]): number[] {
  const count = dims[0] ?? 0;
  if (!(count >= 1 && count <= 7)) {
    throw new FormatError(`nifti: dim[0] is ${count}, expected 1 to 7 dimensions; the header is damaged`);
  }
  const used = dims.slice(1, count + 1);
  if (!used.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw new FormatError(
      `nifti: the dimensions are ${used.join(' × ')}, expected each at least 1; the header is damaged`,
    );
  }
  // FreeSurfer's way of fitting a surface of 163842 vertices into 16-bit dimensions.
  const surface = used[0] === 27307 && used[1] === 1 && used[2] === 6;
  return surface ? [163842, 1, 1, ...used.slice(3)] : used;
}

/**
 * Parses and checks a header (nifti1.h / nifti2.h).
 *
 * @param bytes at least the header, inflated
 * @throws FormatError where it is no NIfTI header, or its dimensions or voxel offset make no sense
 */
export function parseNiftiHeader(bytes: Uint8Array): NiftiHeader {
  const kind = kindOf(bytes);
  const length = kind?.version === 2 ? 540 : 348;
  if (!kind || bytes.length < length) {
    throw new FormatError('nifti: no NIfTI-1 or NIfTI-2 header was found; export the image as .nii again');
  }
  // The header alone: given more, the library follows extension sizes, which may be forged to loop for ever.
  const own = bytes.slice(0, length);
  const header = kind.version === 1 ? new NIFTI1() : new NIFTI2();
  refusing('nifti', () => header.readHeader(own.buffer));
  const dims = checkedDims(header.dims);
  const voxOffset = header.vox_offset;
  const least = kind.pair ? 0 : length;
  if (!Number.isSafeInteger(voxOffset) || voxOffset < least) {
    throw new FormatError(
      `nifti: vox_offset is ${voxOffset}, expected at least ${least} bytes; the header is damaged`,
    );
  }
  // Read here because the library overwrites it with the qform wherever qform_code > sform_code.
  const view = new DataView(own.buffer);
  const srow = Array.from({ length: 12 }, (_, index) => kind.version === 1
    ? view.getFloat32(280 + 4 * index, kind.littleEndian)
    : view.getFloat64(400 + 8 * index, kind.littleEndian));
  const scaled = Number.isFinite(header.scl_slope) && header.scl_slope !== 0;
  return {
    ...kind,
    dims,
    datatype: header.datatypeCode,
    pixdim: header.pixDims.slice(0, 8),
    voxOffset,
    slope: scaled ? header.scl_slope : 1,
    intercept: scaled && Number.isFinite(header.scl_inter) ? header.scl_inter : 0,
    description: header.description,
    xyztUnits: header.xyzt_units,
    qformCode: header.qform_code,
    sformCode: header.sform_code,
    quaternion: [header.quatern_b, header.quatern_c, header.quatern_d],
    offset: [header.qoffset_x, header.qoffset_y, header.qoffset_z],
    srow,
    bytes: own,
  };
}
