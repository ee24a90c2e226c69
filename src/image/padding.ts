import type { Slice } from './slice.ts';

/**
 * Grows a slice to the next multiples of `multiple` by repeating its last column and row: to the right and below, so
 * that voxel (0, 0) stays where it is. The slice itself where nothing is missing.
 */
export function padToMultiple(slice: Slice, multiple: number): Slice {
  const { width, height } = paddedSize(slice, multiple);
  if (width === slice.width && height === slice.height) return slice;
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = Math.min(y, slice.height - 1) * slice.width;
    const row = data.subarray(y * width, (y + 1) * width);
    row.set(slice.data.subarray(from, from + slice.width));
    row.fill(slice.data[from + slice.width - 1]!, slice.width);
  }
  return { width, height, data };
}

/** The least multiples that a size fits in. */
export function paddedSize({ width, height }: Omit<Slice, 'data'>, multiple: number): { width: number; height: number } {
  const up = (size: number) => Math.ceil(size / multiple) * multiple;
  return { width: up(width), height: up(height) };
}

/** The upper left width × height voxels: undoes `padToMultiple`. Throws RangeError where the slice is smaller. */
export function crop(slice: Slice, width: number, height: number): Slice {
  if (width > slice.width || height > slice.height) {
    const have = `${slice.width} × ${slice.height}`;
    throw new RangeError(`crop: ${width} × ${height} does not fit in ${have}; ask for at most that`);
  }
  if (width === slice.width && height === slice.height) return slice;
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    data.set(slice.data.subarray(y * slice.width, y * slice.width + width), y * width);
  }
  return { width, height, data };
}
