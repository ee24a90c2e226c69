import { baseName, namedBy } from './dataFiles.ts';
import type { FindFile } from './dataFiles.ts';
import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { inflateHead, isGzip } from './gzip.ts';
import { COLOUR_NOTICE } from './luma.ts';
import { isNiftiHeader, NIFTI_HEAD, parseNiftiHeader } from './niftiHeader.ts';
import type { NiftiHeader } from './niftiHeader.ts';
import { niftiSpace } from './niftiSpace.ts';
import { niftiType } from './niftiTypes.ts';
import { statedUnits } from './statedUnits.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';
import { checkHolds, decodeVoxels } from './voxelBytes.ts';

/** The first bytes of a file, gzipped or not: enough for a header of any version. */
export function niftiHead(bytes: Uint8Array): Uint8Array {
  return isGzip(bytes) ? inflateHead(bytes, NIFTI_HEAD) : bytes.subarray(0, NIFTI_HEAD);
}

/** Whether the content, gzipped or not, is NIfTI-1 or NIfTI-2, whatever the file is called. */
export function isNifti(bytes: Uint8Array): boolean {
  return isNiftiHeader(niftiHead(bytes));
}

/** What a pair's voxels may be called: "brain.hdr" → "brain.img", "brain.img.gz". */
export function imageNames(header: string): string[] {
  const stem = baseName(header).replace(/\.gz$/i, '').replace(/\.hdr$/i, '');
  return [`${stem}.img`, `${stem}.img.gz`];
}

/** Names of the files that may hold this header's voxels; none where it holds them itself. */
export function niftiDataFiles({ name, bytes }: NamedBytes): readonly string[] {
  return namedBy(() =>
    (refusing('nifti', () => parseNiftiHeader(niftiHead(bytes))).pair ? imageNames(name) : []));
}

/** The voxels' file of a header. @throws FormatError where it is not there */
export async function imageOf(operation: string, header: string, find: FindFile): Promise<Uint8Array> {
  for (const name of imageNames(header)) {
    const bytes = await find(name);
    if (bytes) return bytes;
  }
  throw new FormatError(
    `${operation}: this is only the header of a .hdr/.img pair; open both files together`,
  );
}

/** The volume that a header describes, from the file that holds its voxels. */
export function niftiVolume(name: string, header: NiftiHeader, source: Uint8Array): Volume {
  const type = niftiType(header.datatype);
  const [columns = 1, rows = 1, ...further] = header.dims;
  const slices = further.reduce((product, size) => product * size, 1);
  const { slope, intercept } = type.number ? header : { slope: 1, intercept: 0 };
  const stored = {
    operation: 'nifti', bytes: source, packing: isGzip(source) ? 'gzip' : 'none', skip: header.voxOffset,
    type: type.voxel, littleEndian: header.littleEndian, count: columns * rows * slices, slope, intercept,
  } as const;
  checkHolds(stored);
  const data = allocateVoxels('nifti', stored.count);
  decodeVoxels(stored, data);
  const space = niftiSpace(header);
  return {
    name: imageTitle(name),
    format: 'nifti',
    ...statedUnits(header.description),
    columns,
    rows,
    slices,
    times: slices / (further[0] ?? 1),
    data,
    spacing: space.spacing,
    affine: space.affine,
    suv: null,
    origin: { format: 'nifti', header: header.bytes, littleEndian: header.littleEndian },
    notices: [...space.notices, ...(type.number ? [] : [COLOUR_NOTICE])],
  };
}

/**
 * Reads a NIfTI-1 or NIfTI-2 image (.nii, .nii.gz, or .hdr with its .img), of either byte order and any real number
 * type: value = scl_slope · stored + scl_inter (slope 0 or NaN: stored), colour as luma. Dimensions from the fourth on,
 * whatever their intent, become `times`. Extensions and gzip checksums are passed over.
 *
 * @param file the image, or the header of a pair; gzip is recognised by content
 * @param find looks for the pair's .img
 * @throws FormatError for complex numbers, impossible headers, missing or cut-short voxels
 */
export async function readNifti(file: NamedBytes, find: FindFile = async () => null): Promise<Volume> {
  const header = refusing('nifti', () => parseNiftiHeader(niftiHead(file.bytes)));
  const source = header.pair ? await imageOf('nifti', file.name, find) : file.bytes;
  return refusing('nifti', () => niftiVolume(file.name, header, source));
}
