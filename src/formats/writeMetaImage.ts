import { zlibSync } from 'fflate';
import { axisLength } from './affine.ts';
import { writtenNumber } from './sourceType.ts';
import type { WrittenType } from './sourceType.ts';
import type { StoredType } from './numberTypes.ts';
import { savedDescription } from './statedUnits.ts';
import type { Volume } from './volume.ts';
import { encodeVoxels } from './voxelBytes.ts';

const NAMES: Readonly<Record<StoredType, string>> = {
  int8: 'MET_CHAR', uint8: 'MET_UCHAR', int16: 'MET_SHORT', uint16: 'MET_USHORT', int32: 'MET_INT', uint32: 'MET_UINT',
  int64: 'MET_LONG_LONG', uint64: 'MET_ULONG_LONG', float32: 'MET_FLOAT', float64: 'MET_DOUBLE',
};
/** Rows of a RAS+ affine as LPS, MetaImage's space. */
const LPS = [-1, -1, 1] as const;
const signed = (value: number, sign: number): number => (value === 0 ? 0 : value * sign);

/** Direction (row k: that of axis k), origin and sizes; without a place, no TransformMatrix is written. */
function placeOf({ affine, spacing, times }: Volume): string[] {
  const fourth = times > 1;
  const last = fourth ? [1] : [];
  if (!affine) return spacing ? [`ElementSpacing = ${[spacing.x, spacing.y, spacing.z, ...last].join(' ')}`] : [];
  const sizes = [0, 1, 2].map((axis) => axisLength(affine, axis));
  const directions = sizes.map((size, axis) =>
    [...LPS.map((sign, row) => signed((affine[4 * row + axis] ?? 0) / size, sign)), ...(fourth ? [0] : [])]);
  const matrix = [...directions, ...(fourth ? [[0, 0, 0, 1]] : [])];
  const offset = LPS.map((sign, row) => signed(affine[4 * row + 3] ?? 0, sign));
  return [
    `TransformMatrix = ${matrix.flat().join(' ')}`,
    `Offset = ${[...offset, ...(fourth ? [0] : [])].join(' ')}`,
    `CenterOfRotation = ${matrix.map(() => 0).join(' ')}`,
    `ElementSpacing = ${[...sizes, ...last].join(' ')}`,
  ];
}

/**
 * Writes a MetaImage with its voxels in the same file (.mha): in LPS, with direction, origin and voxel sizes of the
 * volume's affine, or its voxel sizes alone; times as a fourth dimension.
 *
 * @param options.type 'source' (default) as `writtenNumber` says; integers are rounded and clamped
 * @param options.gzip compress (zlib, which is what the format knows); default false
 */
export function writeMetaImage(
  volume: Volume,
  options: { readonly type?: WrittenType; readonly gzip?: boolean } = {},
): Uint8Array {
  const { columns, rows, slices, times, data, units } = volume;
  const number = writtenNumber(volume, options.type ?? 'source');
  const voxels = new Uint8Array(data.length * number.size);
  encodeVoxels(data, number, { littleEndian: true, slope: 1, intercept: 0 }, new DataView(voxels.buffer), 0);
  const body = options.gzip ? zlibSync(voxels) : voxels;
  const header = new TextEncoder().encode([
    'ObjectType = Image',
    `NDims = ${times > 1 ? 4 : 3}`,
    `Comment = ${savedDescription(units)}`,
    'BinaryData = True',
    'BinaryDataByteOrderMSB = False',
    ...(options.gzip ? ['CompressedData = True', `CompressedDataSize = ${body.length}`] : ['CompressedData = False']),
    ...placeOf(volume),
    `DimSize = ${columns} ${rows} ${slices / times}${times > 1 ? ` ${times}` : ''}`,
    `ElementType = ${NAMES[number.name]}`,
    'ElementDataFile = LOCAL',
    '',
  ].join('\n'));
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  return bytes;
}
