import { describe, expect, it } from 'vitest';
import { cutAcross, cutGrid } from './reslice.ts';
import type { Stack } from './reslice.ts';

/** 3 columns × 2 rows × 4 slices; the voxel (i, j, k) has the value 100 k + 10 j + i. */
const COLUMNS = 3;
const ROWS = 2;
const stack: Stack = {
  columns: COLUMNS,
  rows: ROWS,
  slices: 4,
  slice: (k) => Float32Array.from({ length: COLUMNS * ROWS }, (_, n) => {
    const [i, j] = [n % COLUMNS, Math.floor(n / COLUMNS)];
    return 100 * k + 10 * j + i;
  }),
};

describe('cuts across slices', () => {
  it('stand on a row: columns stay columns, slices become rows', () => {
    const { image, present } = cutAcross(stack, 1, 1);
    expect([image.width, image.height, present]).toEqual([3, 4, 4]);
    expect([...image.data]).toEqual([10, 11, 12, 110, 111, 112, 210, 211, 212, 310, 311, 312]);
  });

  it('stand on a column: rows become columns, slices become rows', () => {
    const { image } = cutAcross(stack, 0, 2);
    expect([image.width, image.height]).toEqual([2, 4]);
    expect([...image.data]).toEqual([2, 12, 102, 112, 202, 212, 302, 312]);
  });

  it('are NaN where a slice is not there, and count those that are', () => {
    const { image, present, slices } = cutAcross({ ...stack, slice: (k) => (k === 2 ? stack.slice(k) : null) }, 0, 0);
    expect([present, slices]).toEqual([1, 4]);
    expect([...image.data]).toEqual([NaN, NaN, NaN, NaN, 200, 210, NaN, NaN]);
  });

  it('outside the volume are refused with the columns that there are', () => {
    expect(() => cutAcross(stack, 0, 3)).toThrow('column 3 is not in the volume; choose 0 to 2');
    expect(() => cutAcross(stack, 1, -1)).toThrow('row -1');
    expect(() => cutAcross(stack, 1, 0.5)).toThrow(RangeError);
  });
});

describe('the grid of cuts', () => {
  const volume = { columns: 30, rows: 20, slices: 45, times: 3, spacing: { x: 1, y: 2, z: 5 } };

  it('counts one time point and takes the spacing of its own two axes', () => {
    expect(cutGrid(volume, 2)).toEqual({ columns: 30, rows: 20, count: 15, pixel: { x: 1, y: 2 } });
    expect(cutGrid(volume, 1)).toEqual({ columns: 30, rows: 15, count: 20, pixel: { x: 1, y: 5 } });
    expect(cutGrid(volume, 0)).toEqual({ columns: 20, rows: 15, count: 30, pixel: { x: 2, y: 5 } });
  });

  it('has square pixels where the file does not say its spacing', () => {
    expect(cutGrid({ ...volume, spacing: null }, 1).pixel).toEqual({ x: 1, y: 1 });
  });
});
