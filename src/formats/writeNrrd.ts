import { gzipSync } from 'fflate';
import { writtenNumber } from './sourceType.ts';
import type { WrittenType } from './sourceType.ts';
import type { StoredType } from './numberTypes.ts';
import { savedDescription } from './statedUnits.ts';
import type { Volume } from './volume.ts';
import { encodeVoxels } from './voxelBytes.ts';

const NAMES: Readonly<Record<StoredType, string>> = {
  int8: 'int8', uint8: 'uint8', int16: 'int16', uint16: 'uint16', int32: 'int32', uint32: 'uint32',
  int64: 'int64', uint64: 'uint64', float32: 'float', float64: 'double',
};

function headerOf(volume: Volume, type: StoredType, encoding: 'gzip' | 'raw'): string {
  const { columns, rows, slices, times, affine, spacing, units } = volume;
  const fourth = times > 1;
  const vector = (axis: number): string => `(${[0, 4, 8].map((row) => affine?.[row + axis] ?? 0).join(',')})`;
  const place = affine ? [
    'space: right-anterior-superior',
    `space directions: ${[0, 1, 2].map(vector).join(' ')}${fourth ? ' none' : ''}`,
    'space units: "mm" "mm" "mm"',
    `space origin: ${vector(3)}`,
  ] : spacing ? [
    `spacings: ${spacing.x} ${spacing.y} ${spacing.z}${fourth ? ' NaN' : ''}`,
    `units: "mm" "mm" "mm"${fourth ? ' ""' : ''}`,
  ] : [];
  return [
    'NRRD0005',
    `# ${savedDescription(units)}`,
    `type: ${NAMES[type]}`,
    `dimension: ${fourth ? 4 : 3}`,
    ...place.slice(0, 1),
    `sizes: ${columns} ${rows} ${slices / times}${fourth ? ` ${times}` : ''}`,
    ...place.slice(1),
    `kinds: ${affine ? 'space space space' : 'domain domain domain'}${fourth ? ' list' : ''}`,
    'endian: little',
    `encoding: ${encoding}`,
    ...(units === 'raw' ? [] : [`sample units: "${units}"`]),
    '',
    '',
  ].join('\n');
}

/**
 * Writes an NRRD file with its voxels attached: space RAS with the volume's affine, or its voxel sizes (mm) where it
 * has no affine; times as a fourth axis of kind list.
 *
 * @param options.type 'source' (default) as `writtenNumber` says; integers are rounded and clamped
 * @param options.gzip encoding gzip instead of raw; default false
 */
export function writeNrrd(
  volume: Volume,
  options: { readonly type?: WrittenType; readonly gzip?: boolean } = {},
): Uint8Array {
  const number = writtenNumber(volume, options.type ?? 'source');
  const voxels = new Uint8Array(volume.data.length * number.size);
  const plain = { littleEndian: true, slope: 1, intercept: 0 };
  encodeVoxels(volume.data, number, plain, new DataView(voxels.buffer), 0);
  const header = new TextEncoder().encode(headerOf(volume, number.name, options.gzip ? 'gzip' : 'raw'));
  const body = options.gzip ? gzipSync(voxels, { mtime: 0 }) : voxels;
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  return bytes;
}
