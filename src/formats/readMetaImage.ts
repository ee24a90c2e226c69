import { affineOf, isUsableAffine } from './affine.ts';
import type { Vector } from './affine.ts';
import { lumaOf, reordered } from './axes.ts';
import { findAll, namedBy } from './dataFiles.ts';
import type { FindFile } from './dataFiles.ts';
import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { isGzip } from './gzip.ts';
import { COLOUR_NOTICE } from './luma.ts';
import { isMetaImageHeader, parseMetaImageHeader } from './metaImageHeader.ts';
import type { MetaImageHeader } from './metaImageHeader.ts';
import { numberTypeOf } from './numberTypes.ts';
import { statedUnits } from './statedUnits.ts';
import { checkHoldsText, decodeTextNumbers } from './textNumbers.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';
import { checkHolds, decodeVoxels } from './voxelBytes.ts';

/** MetaImage, as ITK writes it, is in LPS. */
const LPS: Vector = [-1, -1, 1];

/** Whether the content is a MetaImage header, with its voxels (.mha) or without (.mhd). */
export function isMetaImage(bytes: Uint8Array): boolean {
  return isMetaImageHeader(bytes);
}

/** Names of the files that hold this header's voxels; none where they follow it. */
export function metaImageDataFiles({ bytes }: NamedBytes): readonly string[] {
  return namedBy(() => refusing('metaimage', () => parseMetaImageHeader(bytes)).dataFiles ?? []);
}

/** All numbers in the order of the file, channels side by side; each of several files holds an equal share. */
function storedValues(header: MetaImageHeader, files: readonly Uint8Array[]): Float32Array {
  const { number, encoding, littleEndian, headerSize } = header;
  const total = header.sizes.reduce((product, size) => product * size, header.channels);
  const count = total / files.length;
  if (!Number.isInteger(count)) {
    throw new FormatError(
      `metaimage: ${total} voxels do not divide among ${files.length} data files; save them as one file`,
    );
  }
  const shares = files.map((bytes) => ({
    operation: 'metaimage', bytes, packing: encoding === 'zlib' ? (isGzip(bytes) ? 'gzip' : 'zlib') : 'none',
    skip: headerSize < 0 ? bytes.length - count * number.size : header.dataFiles ? headerSize : 0,
    type: number, littleEndian, count, slope: 1, intercept: 0,
  } as const));
  for (const share of shares) {
    if (encoding === 'text') checkHoldsText('metaimage', share.bytes, count);
    else checkHolds(share);
  }
  const data = allocateVoxels('metaimage', total);
  for (const [index, share] of shares.entries()) {
    const part = data.subarray(index * count, (index + 1) * count);
    if (encoding === 'text') decodeTextNumbers('metaimage', share.bytes, part);
    else decodeVoxels(share, part);
  }
  return data;
}

/** Spacing and affine; a field that is missing counts as ITK's default: 1 mm, no rotation, origin 0. */
function placeOf({ sizes, matrix, offset, spacing }: MetaImageHeader): Pick<Volume, 'spacing' | 'affine' | 'notices'> {
  const count = sizes.length;
  const size = (axis: number): number => (axis < count ? Math.abs(spacing?.[axis] ?? 1) : 1);
  const direction = (axis: number, k: number): number =>
    (matrix && axis < count && k < count ? matrix[axis * count + k] ?? 0 : axis === k ? 1 : 0);
  const axisOf = (axis: number): Vector =>
    [direction(axis, 0) * size(axis), direction(axis, 1) * size(axis), direction(axis, 2) * size(axis)];
  const affine = affineOf(
    [axisOf(0), axisOf(1), axisOf(2)],
    [offset?.[0] ?? 0, offset?.[1] ?? 0, count > 2 ? offset?.[2] ?? 0 : 0],
    LPS,
  );
  const notices: string[] = [];
  const usable = isUsableAffine(affine);
  if (!spacing) notices.push('The file does not say how large its voxels are.');
  if (!matrix || !usable) {
    notices.push('The file does not say how the image lies in the patient; left and right may be exchanged.');
  }
  const [x, y, z] = [size(0), size(1), size(2)];
  return {
    spacing: spacing && x > 0 && y > 0 && z > 0 ? { x, y, z } : null,
    affine: usable ? affine : null,
    notices,
  };
}

/** The volume of a parsed header from the bytes of its voxels. */
function metaImageVolume(name: string, header: MetaImageHeader, files: readonly Uint8Array[]): Volume {
  const { sizes, channels, number } = header;
  const [columns = 1, rows = 1, places = 1, points = 1] = sizes;
  const stored = storedValues(header, files);
  const colour = channels === 3 || (channels === 4 && number.name === 'uint8');
  const all = [channels, ...sizes];
  const data = colour
    ? lumaOf('metaimage', stored, channels)
    : reordered('metaimage', stored, all, [...sizes.map((_, axis) => axis + 1), 0]);
  const times = colour ? points : points * channels;
  const place = placeOf(header);
  return {
    name: imageTitle(name),
    format: 'metaimage',
    ...statedUnits(header.comment),
    columns,
    rows,
    slices: places * times,
    times,
    data,
    spacing: place.spacing,
    affine: place.affine,
    suv: null,
    // Brightness of whole numbers is not whole.
    origin: { format: 'plain', type: colour ? 'float32' : numberTypeOf(number.name) },
    notices: [...place.notices, ...(colour ? [COLOUR_NOTICE] : [])],
  };
}

/**
 * Reads a MetaImage: .mha, or .mhd with its data files; raw, zlib or text, of two to four dimensions. The fourth
 * dimension and channels become `times`, three channels (or four of 8 bits) luma.
 *
 * @param find looks for the data files of a detached header
 * @throws FormatError for impossible headers, missing or cut-short data
 */
export async function readMetaImage(file: NamedBytes, find: FindFile): Promise<Volume> {
  const header = refusing('metaimage', () => parseMetaImageHeader(file.bytes));
  const files = header.dataFiles
    ? await findAll('metaimage', header.dataFiles, find)
    : [file.bytes.subarray(header.length)];
  return refusing('metaimage', () => metaImageVolume(file.name, header, files));
}
