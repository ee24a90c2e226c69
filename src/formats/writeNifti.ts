import { gzipSync } from 'fflate';
import { parseNiftiHeader } from './niftiHeader.ts';
import { niftiSpace } from './niftiSpace.ts';
import { NIFTI_TYPES, niftiType } from './niftiTypes.ts';
import type { NiftiType } from './niftiTypes.ts';
import { FormatError } from './volume.ts';
import type { Volume } from './volume.ts';

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

/** The input's own dimensions where they hold as many voxels, else columns × rows × slices. */
function dimensions(volume: Volume, original: readonly number[] | null): readonly number[] {
  const own = [volume.columns, volume.rows, volume.slices];
  const [columns = 1, rows = 1, ...further] = original ?? [];
  const same = columns === own[0] && rows === own[1] && further.reduce((p, size) => p * size, 1) === own[2];
  return original && same ? original : own;
}

function writeVoxels(view: DataView, data: Float32Array, type: NiftiType, littleEndian: boolean): void {
  const write = type.write;
  if (!write) return;
  // A header without usable scaling (slope 0) means that stored numbers are the values.
  const slopeField = view.getFloat32(112, littleEndian);
  const interField = view.getFloat32(116, littleEndian);
  const scaled = Number.isFinite(slopeField) && slopeField !== 0;
  const slope = scaled ? slopeField : 1;
  const intercept = scaled && Number.isFinite(interField) ? interField : 0;
  const [least, most] = type.range ?? [0, 0];
  for (let index = 0; index < data.length; index += 1) {
    const stored = ((data[index] ?? 0) - intercept) / slope;
    // Integers cannot hold NaN: such voxels are written as the number nearest to the value 0.
    const value = type.range === null ? stored
      : Math.min(most, Math.max(least, Math.round(Number.isNaN(stored) ? -intercept / slope : stored)));
    write(view, VOX_OFFSET + index * type.size, value, littleEndian);
  }
}

/**
 * Writes a NIfTI-1 file. A volume that came from NIfTI keeps its header (affine, qform and sform codes, units,
 * dimensions, byte order); others get a new one from affine (RAS+) and spacing (mm). Extensions are dropped.
 *
 * @param options.type 'source' (default): the input's number type and scaling, integers rounded and clamped; volumes
 *   that are not from NIfTI, or from its colour types, are written as float32. 'float32': slope 1, intercept 0
 * @param options.gzip compress (.nii.gz); default false
 * @throws FormatError where a dimension exceeds 32767
 */
export function writeNifti(
  volume: Volume,
  options: { readonly type?: 'source' | 'float32'; readonly gzip?: boolean } = {},
): Uint8Array {
  const { origin } = volume;
  const original = origin.format === 'nifti' ? parseNiftiHeader(origin.header) : null;
  const dims = dimensions(volume, original?.dims ?? null);
  if (dims.some((size) => size > LARGEST_DIMENSION)) {
    throw new FormatError(
      `nifti: ${dims.join(' × ')} voxels do not fit NIfTI-1, which holds at most ${LARGEST_DIMENSION} along a ` +
      'dimension; save fewer slices',
    );
  }
  const littleEndian = original?.littleEndian ?? true;
  const float32 = niftiType(16);
  const sourceType = NIFTI_TYPES.find((type) => type.code === original?.datatype && type.write) ?? float32;
  const type = options.type === 'float32' ? float32 : sourceType;

  const header = original ? headerFromOrigin(original.bytes, littleEndian, original.version) : newHeader(volume);
  if (original && volume.affine && differs(volume.affine, niftiSpace(original).affine)) {
    const unit = ({ 1: 1000, 3: 0.001 } as Readonly<Record<number, number>>)[original.xyztUnits & 7] ?? 1;
    setSform(header, volume.affine, unit, littleEndian);
  }
  const bytes = new Uint8Array(VOX_OFFSET + volume.data.length * type.size);
  bytes.set(new Uint8Array(header.buffer));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, littleEndian);
  for (let index = 0; index < 8; index += 1) {
    view.setInt16(40 + 2 * index, index === 0 ? dims.length : dims[index - 1] ?? 1, littleEndian);
  }
  view.setInt16(70, type.code, littleEndian);
  view.setInt16(72, type.size * 8, littleEndian);
  view.setFloat32(108, VOX_OFFSET, littleEndian);
  if (options.type === 'float32' || type.code !== original?.datatype) {
    view.setFloat32(112, 1, littleEndian);
    view.setFloat32(116, 0, littleEndian);
  }
  // Units are repeated here because NIfTI has no field for them: a saved CT opens as Hounsfield units again.
  const description = `Restore-RWKV, not for diagnosis${volume.units === 'raw' ? '' : `; ${volume.units}`}`;
  bytes.fill(0, 148, 228);
  bytes.set(new TextEncoder().encode(description), 148);
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // n+1
  writeVoxels(view, volume.data, type, littleEndian);
  return options.gzip ? gzipSync(bytes, { mtime: 0 }) : bytes;
}

/** Whether a volume was moved (cropped slices) since its header was read; float32 rounding is no move. */
function differs(affine: readonly number[], own: Volume['affine']): boolean {
  return own === null || affine.some((value, index) => Math.abs(value - (own[index] ?? 0)) > 1e-3);
}
