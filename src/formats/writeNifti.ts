import { gzipSync } from 'fflate';
import { parseNiftiHeader } from './niftiHeader.ts';
import { niftiSpace } from './niftiSpace.ts';
import { NIFTI_TYPES } from './niftiTypes.ts';
import { writtenNumber } from './sourceType.ts';
import type { WrittenType } from './sourceType.ts';
import { savedDescription } from './statedUnits.ts';
import { FormatError } from './volume.ts';
import type { Volume } from './volume.ts';
import { encodeVoxels } from './voxelBytes.ts';

/** Header and the four bytes that say "no extensions". */
const VOX_OFFSET = 352;
const LARGEST_DIMENSION = 32767;

type Field = 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64';

/** nifti1.h field ← nifti2.h field: [offset, type, offset, type, count]; dimensions and number type are set apart. */
const FROM_NIFTI2: readonly (readonly [number, Field, number, Field, number])[] = [
  [39, 'int8', 524, 'int8', 1], // dim_info
  [56, 'float32', 80, 'float64', 3], // intent_p1 … p3
  [68, 'int16', 504, 'int32', 1], // intent_code
  [74, 'int16', 224, 'int64', 1], // slice_start
  [76, 'float32', 104, 'float64', 8], // pixdim
  [112, 'float32', 176, 'float64', 2], // scl_slope, scl_inter
  [120, 'int16', 232, 'int64', 1], // slice_end
  [122, 'int8', 496, 'int32', 1], // slice_code
  [123, 'int8', 500, 'int32', 1], // xyzt_units
  [124, 'float32', 192, 'float64', 4], // cal_max, cal_min, slice_duration, toffset
  [252, 'int16', 344, 'int32', 2], // qform_code, sform_code
  [256, 'float32', 352, 'float64', 6], // quatern_b, c, d, qoffset_x, y, z
  [280, 'float32', 400, 'float64', 12], // srow_x, y, z
];

const WIDTH: Readonly<Record<Field, number>> = { int8: 1, int16: 2, int32: 4, int64: 8, float32: 4, float64: 8 };

function getField(view: DataView, offset: number, type: Field, littleEndian: boolean): number {
  switch (type) {
    case 'int8': return view.getInt8(offset);
    case 'int16': return view.getInt16(offset, littleEndian);
    case 'int32': return view.getInt32(offset, littleEndian);
    case 'int64': return Number(view.getBigInt64(offset, littleEndian));
    case 'float32': return view.getFloat32(offset, littleEndian);
    case 'float64': return view.getFloat64(offset, littleEndian);
  }
}

function setField(view: DataView, offset: number, type: Field, value: number, littleEndian: boolean): void {
  switch (type) {
    case 'int8': return view.setInt8(offset, value);
    case 'int16': return view.setInt16(offset, value, littleEndian);
    case 'int32': return view.setInt32(offset, value, littleEndian);
    case 'int64': return view.setBigInt64(offset, BigInt(value), littleEndian);
    case 'float32': return view.setFloat32(offset, value, littleEndian);
    case 'float64': return view.setFloat64(offset, value, littleEndian);
  }
}

/** A NIfTI-1 header (348 bytes) with the input's fields: copied, or translated from NIfTI-2. */
function headerFromOrigin(bytes: Uint8Array, littleEndian: boolean, version: 1 | 2): DataView {
  const header = new Uint8Array(348);
  const view = new DataView(header.buffer);
  if (version === 1) {
    header.set(bytes.subarray(0, 348));
    return view;
  }
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const [to, toType, from, fromType, count] of FROM_NIFTI2) {
    for (let index = 0; index < count; index += 1) {
      const value = getField(source, from + index * WIDTH[fromType], fromType, littleEndian);
      setField(view, to + index * WIDTH[toType], toType, value, littleEndian);
    }
  }
  header.set(bytes.subarray(320, 344), 228); // aux_file
  header.set(bytes.subarray(508, 524), 328); // intent_name
  return view;
}

/** sform from the volume's affine (scanner space), sizes from its spacing, mm. */
function newHeader(volume: Volume): DataView {
  const view = new DataView(new ArrayBuffer(348));
  const { x, y, z } = volume.spacing ?? { x: 1, y: 1, z: 1 };
  [1, x, y, z, 1, 1, 1, 1].forEach((size, index) => view.setFloat32(76 + 4 * index, size, true));
  if (volume.spacing || volume.affine) view.setUint8(123, 2);
  view.setFloat32(112, 1, true);
  if (volume.affine) setSform(view, volume.affine, 1, true);
  return view;
}

function setSform(view: DataView, affine: readonly number[], unit: number, littleEndian: boolean): void {
  view.setInt16(254, Math.max(1, view.getInt16(254, littleEndian)), littleEndian);
  for (let index = 0; index < 12; index += 1) {
    view.setFloat32(280 + 4 * index, (affine[index] ?? 0) / unit, littleEndian);
  }
}

/** The input's own dimensions where they hold the same slices and times, else columns × rows × slices (× times). */
function dimensions({ columns, rows, slices, times }: Volume, original: readonly number[] | null): readonly number[] {
  const own = times > 1 ? [columns, rows, slices / times, times] : [columns, rows, slices];
  if (!original) return own;
  const [width = 1, height = 1, places = 1, ...further] = original;
  const product = further.reduce((total, size) => total * size, 1);
  return width === columns && height === rows && places * product === slices && product === times ? original : own;
}

/** FreeSurfer's way of fitting its surface of 163842 vertices into 16-bit dimensions, which the reader undoes. */
function foldedSurface(dims: readonly number[]): readonly number[] {
  return dims[0] === 163842 && dims[1] === 1 && dims[2] === 1 ? [27307, 1, 6, ...dims.slice(3)] : dims;
}

/**
 * Writes a NIfTI-1 file. A volume that came from NIfTI or Analyze keeps its header (affine, qform and sform codes,
 * units, dimensions, byte order); others get a new one from affine (RAS+, sform code 1) and spacing (mm). Times are the
 * fourth dimension. Extensions are dropped.
 *
 * @param options.type 'source' (default): the input's number type, for NIfTI with its scaling, integers rounded and
 *   clamped (`writtenNumber` says what it is for the other formats). A number type: that, with slope 1, intercept 0
 * @param options.gzip compress (.nii.gz); default false
 * @throws FormatError where a dimension exceeds 32767
 */
export function writeNifti(
  volume: Volume,
  options: { readonly type?: WrittenType; readonly gzip?: boolean } = {},
): Uint8Array {
  const { origin } = volume;
  const original = origin.format === 'nifti' ? parseNiftiHeader(origin.header) : null;
  const dims = foldedSurface(dimensions(volume, original?.dims ?? null));
  if (dims.some((size) => size > LARGEST_DIMENSION)) {
    throw new FormatError(
      `nifti: ${dims.join(' × ')} voxels do not fit NIfTI-1, which holds at most ${LARGEST_DIMENSION} along a ` +
      'dimension; save fewer slices',
    );
  }
  const littleEndian = original?.littleEndian ?? true;
  const asked = options.type ?? 'source';
  const own = NIFTI_TYPES.find(({ code }) => code === original?.datatype)?.number;
  const keepsScaling = asked === 'source' && own != null;
  const number = keepsScaling ? own : writtenNumber(volume, asked);

  const header = original ? headerFromOrigin(original.bytes, littleEndian, original.version) : newHeader(volume);
  if (original && volume.affine && differs(volume.affine, niftiSpace(original).affine)) {
    const unit = ({ 1: 1000, 3: 0.001 } as Readonly<Record<number, number>>)[original.xyztUnits & 7] ?? 1;
    setSform(header, volume.affine, unit, littleEndian);
  }
  const bytes = new Uint8Array(VOX_OFFSET + volume.data.length * number.size);
  bytes.set(new Uint8Array(header.buffer));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, littleEndian);
  for (let index = 0; index < 8; index += 1) {
    view.setInt16(40 + 2 * index, index === 0 ? dims.length : dims[index - 1] ?? 1, littleEndian);
  }
  view.setInt16(70, NIFTI_TYPES.find((type) => type.number === number)?.code ?? 16, littleEndian);
  view.setInt16(72, number.size * 8, littleEndian);
  view.setFloat32(108, VOX_OFFSET, littleEndian);
  if (!keepsScaling) {
    view.setFloat32(112, 1, littleEndian);
    view.setFloat32(116, 0, littleEndian);
  }
  bytes.fill(0, 148, 228);
  bytes.set(new TextEncoder().encode(savedDescription(volume.units)), 148);
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // n+1
  encodeVoxels(volume.data, number, { littleEndian, ...storedScaling(view, littleEndian) }, view, VOX_OFFSET);
  return options.gzip ? gzipSync(bytes, { mtime: 0 }) : bytes;
}

/** scl_slope and scl_inter; a header without usable scaling (slope 0) means that stored numbers are the values. */
function storedScaling(view: DataView, littleEndian: boolean): { slope: number; intercept: number } {
  const slope = view.getFloat32(112, littleEndian);
  const intercept = view.getFloat32(116, littleEndian);
  const scaled = Number.isFinite(slope) && slope !== 0;
  return { slope: scaled ? slope : 1, intercept: scaled && Number.isFinite(intercept) ? intercept : 0 };
}

/** Whether a volume was moved (cropped slices) since its header was read; float32 rounding is no move. */
function differs(affine: readonly number[], own: Volume['affine']): boolean {
  return own === null || affine.some((value, index) => Math.abs(value - (own[index] ?? 0)) > 1e-3);
}
