import { CUT_AXES } from '../formats/orientation.ts';
import type { VoxelAxis } from '../formats/orientation.ts';
import type { Volume } from '../formats/volume.ts';
import type { Slice } from './slice.ts';

/** The grid of all cuts through a volume that stand on one voxel axis. */
export interface CutGrid {
  /** Pixels of a cut along its columns' and its rows' axis. */
  readonly columns: number;
  readonly rows: number;
  /** Cuts along the axis, a time point. */
  readonly count: number;
  /** mm between pixels along columns and rows; 1, 1 where the file does not say. */
  readonly pixel: { readonly x: number; readonly y: number };
}

type Grid = Pick<Volume, 'columns' | 'rows' | 'slices' | 'times' | 'spacing'>;

/** Columns, rows and pixel size of the cuts that stand on `across` (2: the slices as stored), and how many there are. */
export function cutGrid({ columns, rows, slices, times, spacing }: Grid, across: VoxelAxis): CutGrid {
  const size = [columns, rows, slices / times] as const;
  const { x, y, z } = spacing ?? { x: 1, y: 1, z: 1 };
  const step = [x, y, z] as const;
  const [along, down] = CUT_AXES[across];
  return { columns: size[along], rows: size[down], count: size[across], pixel: { x: step[along], y: step[down] } };
}

/** Slices of equal size one behind the other; null where one is not there. */
export interface Stack {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** [rows, columns], index row · columns + column. */
  slice(index: number): Float32Array | null;
}

export interface Cut {
  /** NaN where a slice is not there. */
  readonly image: Slice;
  /** How many of the stack's slices it goes through, and how many of these are there. */
  readonly slices: number;
  readonly present: number;
}

/**
 * Cuts a stack across its slices: voxels are picked, not interpolated, so that a cut of a volume shows the volume's own
 * values. The cut's rows are the stack's slices, its columns the stack's rows (`across` 0) or columns (`across` 1).
 *
 * @param across the voxel axis that the cut stands on
 * @param at the column (`across` 0) or row (`across` 1) that is cut
 * @throws RangeError where the stack has no such column or row
 */
export function cutAcross({ columns, rows, slices, slice }: Stack, across: 0 | 1, at: number): Cut {
  const [width, count, name] = across === 0 ? [rows, columns, 'column'] : [columns, rows, 'row'];
  if (!Number.isInteger(at) || at < 0 || at >= count) {
    throw new RangeError(`cut: ${name} ${at} is not in the volume; choose 0 to ${count - 1}`);
  }
  const data = new Float32Array(width * slices).fill(NaN);
  let present = 0;
  for (let k = 0; k < slices; k++) {
    const from = slice(k);
    if (!from) continue;
    present++;
    const to = k * width;
    if (across === 1) data.set(from.subarray(at * columns, (at + 1) * columns), to);
    else for (let j = 0; j < rows; j++) data[to + j] = from[j * columns + at]!;
  }
  return { image: { width, height: slices, data }, slices, present };
}
