/** The body planes of slices. */
export type Plane = 'axial' | 'coronal' | 'sagittal';

/** Where an edge of the picture points in the patient: right, left, anterior, posterior, superior, inferior. */
export type OrientationLetter = 'R' | 'L' | 'A' | 'P' | 'S' | 'I';

/** How a cut through a volume is turned for the screen. */
export interface DisplayTransform {
  /** Exchange columns and rows, before any flip. */
  readonly transpose: boolean;
  /** Mirror left and right, after transposing. */
  readonly flipX: boolean;
  /** Mirror top and bottom, after transposing. */
  readonly flipY: boolean;
  /** Letters at the edges of the picture as displayed; null where the file does not say. */
  readonly letters: Readonly<Record<'left' | 'right' | 'top' | 'bottom', OrientationLetter>> | null;
  readonly plane: Plane | null;
}

/** RAS+ axes: letters towards negative and positive. */
const LETTERS: readonly (readonly [OrientationLetter, OrientationLetter])[] = [['L', 'R'], ['P', 'A'], ['I', 'S']];
const PLANES: readonly Plane[] = ['sagittal', 'coronal', 'axial'];

/**
 * Radiological convention, per plane: the patient axis across the screen and the one down it (axial: patient's right
 * on the left, front on top; coronal: head on top; sagittal: front on the left, head on top).
 */
const CONVENTION: Readonly<Record<Plane, { readonly across: number; readonly down: number }>> = {
  axial: { across: 0, down: 1 },
  coronal: { across: 0, down: 2 },
  sagittal: { across: 1, down: 2 },
};
/** In all three planes the right edge is L or P and the bottom edge P or I: the negative RAS+ direction. */
const SCREEN_SIGN = -1;

/**
 * The patient axis (0 right–left, 1 front–back, 2 head–feet) nearest to each voxel axis, each used once: the
 * assignment with the largest sum of cosines, so that oblique slices never get one axis twice.
 */
function nearestAxes(affine: readonly number[]): readonly [number, number, number] {
  const length = [0, 1, 2].map((axis) =>
    Math.hypot(affine[axis] ?? 0, affine[4 + axis] ?? 0, affine[8 + axis] ?? 0) || 1);
  const cosine = (patient: number, voxel: number): number =>
    Math.abs(affine[4 * patient + voxel] ?? 0) / (length[voxel] ?? 1);
  const assignments: readonly (readonly [number, number, number])[] = [
    [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0],
  ];
  const score = (axes: readonly [number, number, number]): number =>
    cosine(axes[0], 0) + cosine(axes[1], 1) + cosine(axes[2], 2);
  return assignments.reduce((best, axes) => (score(axes) > score(best) ? axes : best));
}

/** A voxel axis: 0 along columns (i), 1 along rows (j), 2 along slices (k). */
export type VoxelAxis = 0 | 1 | 2;

/**
 * The voxel axes that run along the columns and the rows of a cut through a volume, by the axis that the cut stands on.
 * Slices as stored stand on axis 2.
 */
export const CUT_AXES: Readonly<Record<VoxelAxis, readonly [along: VoxelAxis, down: VoxelAxis]>> = {
  0: [1, 2],
  1: [0, 2],
  2: [0, 1],
};

/**
 * Plane, flips and edge letters for showing cuts through a volume in radiological convention.
 *
 * @param affine voxel → RAS+ mm, 4×4 row by row; null shows cuts as stored, without letters
 * @param across the voxel axis that the cuts stand on; 2, the default, for slices as stored
 */
export function displayTransform(affine: readonly number[] | null, across: VoxelAxis = 2): DisplayTransform {
  if (!affine) return { transpose: false, flipX: false, flipY: false, letters: null, plane: null };
  const nearest = nearestAxes(affine);
  const plane = PLANES[nearest[across]] ?? 'axial';
  const [along, down] = CUT_AXES[across];
  const onScreen = CONVENTION[plane];
  const transpose = nearest[along] !== onScreen.across;
  const [voxelAcross, voxelDown] = transpose ? [down, along] : [along, down];
  const mirrored = (voxel: VoxelAxis): boolean =>
    (Math.sign(affine[4 * nearest[voxel] + voxel] ?? 0) || 1) !== SCREEN_SIGN;
  const [right, left] = LETTERS[onScreen.across] ?? ['L', 'R'];
  const [bottom, top] = LETTERS[onScreen.down] ?? ['P', 'A'];
  return {
    transpose,
    flipX: mirrored(voxelAcross),
    flipY: mirrored(voxelDown),
    letters: { left, right, top, bottom },
    plane,
  };
}
