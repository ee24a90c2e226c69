import type { FindFile } from './dataFiles.ts';
import { refusing } from './guard.ts';
import { isNiftiHeader, parseNiftiHeader } from './niftiHeader.ts';
import { NIFTI_TYPES } from './niftiTypes.ts';
import { imageNames, imageOf, niftiHead, niftiVolume } from './readNifti.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

const HEADER = 348;
/** Number types of Analyze 7.5, which are NIfTI's, and SPM's own three. */
const DATATYPES: Readonly<Record<number, number>> = {
  2: 2, 4: 4, 8: 8, 16: 16, 64: 64, 128: 128, 130: 256, 132: 512, 136: 768,
};
/** Bits of the types above and of those that are refused: binary and complex. */
const bitsOf = (datatype: number): number | undefined =>
  ({ 1: 1, 32: 64 } as Readonly<Record<number, number>>)[datatype]
  ?? (NIFTI_TYPES.find(({ code }) => code === DATATYPES[datatype])?.voxel.size ?? NaN) * 8;

/** Byte order where header size, dimensions and number type agree with Analyze 7.5 (dbh.h); else null. */
function littleEndianOf(bytes: Uint8Array): boolean | null {
  if (bytes.length < HEADER || isNiftiHeader(bytes)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const littleEndian of [true, false]) {
    const count = view.getInt16(40, littleEndian);
    const bits = bitsOf(view.getInt16(70, littleEndian));
    if (view.getInt32(0, littleEndian) === HEADER && count >= 1 && count <= 7
      && view.getInt16(72, littleEndian) === bits) return littleEndian;
  }
  return null;
}

/** Whether the content, gzipped or not, is the header (.hdr) of an Analyze 7.5 image. */
export function isAnalyze(bytes: Uint8Array): boolean {
  return littleEndianOf(niftiHead(bytes)) !== null;
}

/** What its voxels may be called. */
export function analyzeDataFiles({ name }: NamedBytes): readonly string[] {
  return imageNames(name);
}

/**
 * The same header as NIfTI-1 without orientation, which Analyze's fields do not tell reliably: dimensions, number type,
 * voxel sizes (mm), offset, SPM's scale (funused1, where positive) and description are where NIfTI has them.
 */
function asNifti(analyze: Uint8Array, littleEndian: boolean): Uint8Array {
  const header = analyze.slice(0, HEADER);
  const view = new DataView(header.buffer);
  const scale = view.getFloat32(112, littleEndian);
  header.fill(0, 4, 40); // data_type, db_name, extents…
  header.fill(0, 56, 70); // vox_units, cal_units: intent
  header.fill(0, 74, 76); // dim_un0: slice_start
  header.fill(0, 116, 124); // funused2, funused3: scl_inter, slice_end, slice_code, xyzt_units
  header.fill(0, 132, 148); // compressed, verified, glmax, glmin: slice_duration, toffset
  header.fill(0, 252, HEADER); // orient, originator…: qform and sform
  const datatype = view.getInt16(70, littleEndian);
  view.setInt16(70, DATATYPES[datatype] ?? datatype, littleEndian);
  if (!(scale > 0 && Number.isFinite(scale))) view.setFloat32(112, 0, littleEndian);
  view.setUint8(123, 2); // mm
  header.set(new TextEncoder().encode('ni1'), 344);
  return header;
}

/**
 * Reads an Analyze 7.5 image (.hdr with its .img) as a NIfTI pair without orientation.
 *
 * @param file the header
 * @param find looks for the .img
 * @throws FormatError for binary and complex numbers, impossible headers, missing or cut-short voxels
 */
export async function readAnalyze(file: NamedBytes, find: FindFile): Promise<Volume> {
  const bytes = niftiHead(file.bytes);
  const littleEndian = littleEndianOf(bytes);
  if (littleEndian === null) {
    throw new FormatError('analyze: no Analyze 7.5 header was found; export the image as NIfTI');
  }
  const header = refusing('analyze', () => parseNiftiHeader(asNifti(bytes, littleEndian)));
  const source = await imageOf('analyze', file.name, find);
  return refusing('analyze', () => ({ ...niftiVolume(file.name, header, source), format: 'analyze' as const }));
}
