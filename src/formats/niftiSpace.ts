import { NIFTI1 } from 'nifti-reader-js';
import { axisLength, isUsableAffine } from './affine.ts';
import type { NiftiHeader } from './niftiHeader.ts';
import type { Volume } from './volume.ts';

/** Where a NIfTI image lies in the patient. */
export interface NiftiSpace {
  readonly spacing: Volume['spacing'];
  readonly affine: Volume['affine'];
  readonly notices: readonly string[];
}

/** xyzt_units, lowest three bits: metres, millimetres, micrometres → mm; unknown is taken as mm, as all readers do. */
const MILLIMETRES: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 };

/** METHOD 2 of nifti1.h: rotation by the unit quaternion (a, b, c, d), scaled by pixdim, qfac = pixdim[0]. */
function qform(header: NiftiHeader): number[] {
  const [b = 0, c = 0, d = 0] = header.quaternion;
  const [x = 0, y = 0, z = 0] = header.offset;
  const [qfac = 1, dx = 1, dy = 1, dz = 1] = header.pixdim;
  const matrix = new NIFTI1()
    .convertNiftiQFormToNiftiSForm(b, c, d, x, y, z, Math.abs(dx), Math.abs(dy), Math.abs(dz), qfac);
  return matrix.flat();
}

/** METHOD 1: voxel sizes only, no orientation; null where the sizes are not positive. */
function scaling(header: NiftiHeader): number[] | null {
  const sizes = axisSizes(header);
  if (!sizes.every((size) => size !== null)) return null;
  const [x = 1, y = 1, z = 1] = sizes;
  return [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1];
}

/** |pixdim| of the three axes; an axis the image does not have counts 1, a size of 0 or NaN is null. */
function axisSizes(header: NiftiHeader): (number | null)[] {
  return [1, 2, 3].map((axis) => {
    const size = Math.abs(header.pixdim[axis] ?? 0);
    if (Number.isFinite(size) && size > 0) return size;
    return axis > header.dims.length ? 1 : null;
  });
}

/**
 * Voxel → RAS+ mm: sform where its code is set, else qform, else pixdim alone; broken ones are passed over with a
 * notice. Spacing is |pixdim| in mm, or the affine's where pixdim is 0.
 */
export function niftiSpace(header: NiftiHeader): NiftiSpace {
  const notices: string[] = [];
  const scale = MILLIMETRES[header.xyztUnits & 7] ?? 1;
  let affine: number[] | null = null;
  if (header.sformCode > 0) {
    const candidate = [...header.srow, 0, 0, 0, 1];
    if (isUsableAffine(candidate)) affine = candidate;
    else notices.push('The sform matrix in the header is not usable and was ignored.');
  }
  if (!affine && header.qformCode > 0) {
    const candidate = qform(header);
    if (isUsableAffine(candidate)) affine = candidate;
    else notices.push('The qform in the header is not usable and was ignored.');
  }
  const oriented = affine;
  if (!affine) {
    affine = scaling(header);
    notices.push('The file does not say how the image lies in the patient; left and right may be exchanged.');
  }
  const sizes = axisSizes(header).map((size, axis) => size ?? (oriented ? axisLength(oriented, axis) : null));
  const [x = null, y = null, z = null] = sizes;
  if (x === null || y === null || z === null) notices.push('The file does not say how large its voxels are.');
  return {
    spacing: x === null || y === null || z === null ? null : { x: x * scale, y: y * scale, z: z * scale },
    // The last row (0, 0, 0, 1) carries no length.
    affine: affine?.map((value, index) => (index < 12 ? value * scale : value)) ?? null,
    notices,
  };
}
