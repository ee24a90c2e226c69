import type { Volume } from '../formats/volume.ts';

/** One image [height, width], index row · width + column. */
export interface Slice {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/**
 * Slice `index` of a volume in its native units: a view on the volume's voxels, not a copy.
 * Throws RangeError where the volume has no such slice.
 */
export function sliceOf(volume: Volume, index: number): Slice {
  if (!Number.isInteger(index) || index < 0 || index >= volume.slices) {
    throw new RangeError(`slice: ${index} is not in the volume; choose 0 to ${volume.slices - 1}`);
  }
  const size = volume.rows * volume.columns;
  return { width: volume.columns, height: volume.rows, data: volume.data.subarray(index * size, (index + 1) * size) };
}
