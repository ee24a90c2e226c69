import type { VoxelAxis } from '../../formats/orientation.ts';

/** Where in a volume the viewer is. All three numbers are kept while the plane changes, so that one can come back. */
export interface Place {
  /** The voxel axis that the picture stands on. */
  readonly across: VoxelAxis;
  /** Column, row, and slice within the time point, from 0. */
  readonly voxel: readonly [column: number, row: number, slice: number];
  /** Time point, from 0. */
  readonly time: number;
}

/** Slices as they were acquired stand on the volume's third axis; only they are restored and measured. */
export const ACQUIRED: VoxelAxis = 2;

/** Number of the picture along its axis, from 0. */
export const positionOf = ({ across, voxel }: Place): number => voxel[across];

/** Equal for equal pictures. */
export const keyOf = (place: Place): string => `${place.across}:${place.time}:${positionOf(place)}`;

/** The volume's index of the acquired slice at a place, of `slices` a time point. */
export const sliceIndex = ({ voxel, time }: Place, slices: number): number => time * slices + voxel[ACQUIRED];

/** The place with another number along its own axis. */
export function movedTo(place: Place, position: number): Place {
  const voxel: [number, number, number] = [...place.voxel];
  voxel[place.across] = position;
  return { ...place, voxel };
}
