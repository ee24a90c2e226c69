import { affineOf, isUsableAffine, normal } from './affine.ts';
import type { Vector } from './affine.ts';
import { lumaOf, reordered } from './axes.ts';
import { findAll, namedBy } from './dataFiles.ts';
import type { FindFile } from './dataFiles.ts';
import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { COLOUR_NOTICE } from './luma.ts';
import { isNrrdHeader, parseNrrdHeader } from './nrrdHeader.ts';
import type { NrrdHeader } from './nrrdHeader.ts';
import { numberTypeOf } from './numberTypes.ts';
import { statedUnits } from './statedUnits.ts';
import { checkHoldsText, decodeTextNumbers } from './textNumbers.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';
import { checkHolds, decodeVoxels } from './voxelBytes.ts';

/** Signs of a space's axes against RAS+, by the names of its first three axes. Others do not tell of the patient. */
const SPACES: Readonly<Record<string, Vector>> = {
  'right-anterior-superior': [1, 1, 1], ras: [1, 1, 1],
  'left-anterior-superior': [-1, 1, 1], las: [-1, 1, 1],
  'left-posterior-superior': [-1, -1, 1], lps: [-1, -1, 1],
};
const signsOf = (space: string): Vector | null =>
  SPACES[space.replace(/-time$/, '').replace(/^(ras|las|lps)t$/, '$1')] ?? null;

const SPATIAL = new Set(['', '???', 'none', 'domain', 'space']);
const COLOURS: Readonly<Record<string, number>> = { '3-color': 3, 'rgb-color': 3, '4-color': 4, 'rgba-color': 4 };

/** Whether the content begins as an NRRD header, attached (.nrrd) or detached (.nhdr). */
export function isNrrd(bytes: Uint8Array): boolean {
  return isNrrdHeader(bytes);
}

/** Names of the files that hold this header's voxels; none where they follow it. */
export function nrrdDataFiles({ bytes }: NamedBytes): readonly string[] {
  return namedBy(() => refusing('nrrd', () => parseNrrdHeader(bytes)).dataFiles ?? []);
}

/** The files' bytes without the lines that are to be skipped. */
function withoutLines(bytes: Uint8Array, count: number): Uint8Array {
  let start = 0;
  for (let line = 0; line < count; line += 1) {
    const end = bytes.indexOf(10, start);
    if (end < 0) throw new FormatError('nrrd: the lines to skip are not there; the file is cut short, copy it again');
    start = end + 1;
  }
  return bytes.subarray(start);
}

/** All numbers in the order of the file; each of several files holds an equal share. */
function storedValues(header: NrrdHeader, files: readonly Uint8Array[]): Float32Array {
  const { number, encoding, littleEndian, byteSkip } = header;
  const total = header.sizes.reduce((product, size) => product * size, 1);
  const count = total / files.length;
  if (!Number.isInteger(count)) {
    throw new FormatError(
      `nrrd: ${total} voxels do not divide among ${files.length} data files; save them as one file`,
    );
  }
  const shares = files.map((file) => {
    const bytes = withoutLines(file, header.lineSkip);
    const skip = byteSkip < 0 ? bytes.length - count * number.size + byteSkip + 1 : byteSkip;
    return {
      operation: 'nrrd', bytes, packing: encoding === 'gzip' ? 'gzip' : 'none', skip, type: number, littleEndian, count,
      slope: 1, intercept: 0,
    } as const;
  });
  for (const share of shares) {
    if (encoding === 'text') checkHoldsText('nrrd', share.bytes.subarray(Math.max(0, byteSkip)), count);
    else checkHolds(share);
  }
  const data = allocateVoxels('nrrd', total);
  for (const [index, share] of shares.entries()) {
    const part = data.subarray(index * count, (index + 1) * count);
    if (encoding === 'text') decodeTextNumbers('nrrd', share.bytes.subarray(Math.max(0, byteSkip)), part);
    else decodeVoxels(share, part);
  }
  return data;
}

/** The axes of space, at most three, in the order of the file. */
function spatialAxes({ sizes, kinds, directions }: NrrdHeader): number[] {
  const all = sizes.map((_, axis) => axis);
  const stated = directions
    ? all.filter((axis) => directions[axis] !== null)
    : all.filter((axis) => SPATIAL.has(kinds[axis] ?? ''));
  return (stated.length > 0 ? stated : all).slice(0, 3);
}

/** Spacing in mm, and the affine where the header says how its space lies in the patient. */
function placeOf(header: NrrdHeader, axes: readonly number[]): Pick<Volume, 'spacing' | 'affine' | 'notices'> {
  const { unit } = header;
  const vectors = axes.map((axis) => header.directions?.[axis]?.slice(0, 3).map((value) => value * unit) ?? null);
  const [x = NaN, y = NaN, z = NaN] = [0, 1, 2].map((index) => {
    const axis = axes[index];
    if (axis === undefined) return 1;
    return vectors[index] ? Math.hypot(...vectors[index]) : Math.abs((header.spacings?.[axis] ?? NaN) * unit);
  });
  const known = [x, y, z].every((size) => Number.isFinite(size) && size > 0);
  const spacing = known ? { x, y, z } : null;
  const notices = known ? [] : ['The file does not say how large its voxels are.'];

  const signs = signsOf(header.space);
  const [columns, rows] = vectors.map((vector) => asVector(vector));
  const slices = axes.length > 2 ? asVector(vectors[2] ?? null) : columns && rows && normal(columns, rows);
  const origin = asVector((header.spaceOrigin ?? [0, 0, 0]).slice(0, 3).map((value) => value * unit));
  const affine = signs && columns && rows && slices && origin && affineOf([columns, rows, slices], origin, signs);
  if (affine && isUsableAffine(affine)) return { spacing, affine, notices };
  const unknown = 'The file does not say how the image lies in the patient; left and right may be exchanged.';
  return { spacing, affine: null, notices: [...notices, unknown] };
}

function asVector(values: readonly number[] | null): Vector | null {
  const [x, y, z] = values ?? [];
  return x === undefined || y === undefined || z === undefined ? null : [x, y, z];
}

/** The volume of a parsed header from the bytes of its voxels. */
function nrrdVolume(name: string, header: NrrdHeader, files: readonly Uint8Array[]): Volume {
  const { sizes, kinds, number } = header;
  if (kinds.includes('complex')) {
    throw new FormatError('nrrd: complex numbers are not supported; save their magnitude');
  }
  const spatial = spatialAxes(header);
  const others = sizes.map((_, axis) => axis).filter((axis) => !spatial.includes(axis));
  const colour = others.find((axis) => COLOURS[kinds[axis] ?? ''] === sizes[axis]);
  const beyond = others.filter((axis) => axis !== colour);
  const product = (axes: readonly number[]): number => axes.reduce((total, axis) => total * (sizes[axis] ?? 1), 1);

  const stored = storedValues(header, files);
  const ordered = reordered('nrrd', stored, sizes, [...(colour === undefined ? [] : [colour]), ...spatial, ...beyond]);
  const [columns = 1, rows = 1, places = 1] = spatial.map((axis) => sizes[axis] ?? 1);
  const times = product(beyond);
  const place = placeOf(header, spatial);
  return {
    name: imageTitle(name),
    format: 'nrrd',
    ...statedUnits(header.sampleUnits),
    columns,
    rows,
    slices: places * times,
    times,
    data: colour === undefined ? ordered : lumaOf('nrrd', ordered, sizes[colour] ?? 3),
    spacing: place.spacing,
    affine: place.affine,
    suv: null,
    // Brightness of whole numbers is not whole.
    origin: { format: 'plain', type: colour === undefined ? numberTypeOf(number.name) : 'float32' },
    notices: [...place.notices, ...(colour === undefined ? [] : [COLOUR_NOTICE])],
  };
}

/**
 * Reads an NRRD image: .nrrd, or .nhdr with its data files; raw, gzip or text. Axes of space (by their directions, else
 * their kinds, else the first three) are columns, rows and slices; all others, wherever they stand, become `times`, or
 * luma where they are colours. Spaces RAS, LAS and LPS give the affine; others, such as scanner-xyz, say nothing of how
 * the patient lies.
 *
 * @param find looks for the data files of a detached header
 * @throws FormatError for bzip2 and hex, complex numbers, impossible headers, missing or cut-short data
 */
export async function readNrrd(file: NamedBytes, find: FindFile): Promise<Volume> {
  const header = refusing('nrrd', () => parseNrrdHeader(file.bytes));
  const files = header.dataFiles
    ? await findAll('nrrd', header.dataFiles, find)
    : [file.bytes.subarray(header.length)];
  return refusing('nrrd', () => nrrdVolume(file.name, header, files));
}
