/** The body planes of slices. */
export type Plane = 'axial' | 'coronal' | 'sagittal';

/** Where an edge of the picture points in the patient: right, left, anterior, posterior, superior, inferior. */
export type OrientationLetter = 'R' | 'L' | 'A' | 'P' | 'S' | 'I';

/** How stored slices are turned for the screen. */
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

/**
 * Plane, flips and edge letters for showing slices (columns × rows of the volume) in radiological convention.
 *
 * @param affine voxel → RAS+ mm, 4×4 row by row; null shows slices as stored, without letters
 */
export function displayTransform(affine: readonly number[] | null): DisplayTransform {
  if (!affine) return { transpose: false, flipX: false, flipY: false, letters: null, plane: null };
  const [columnAxis, rowAxis, sliceAxis] = nearestAxes(affine);
  const plane = PLANES[sliceAxis] ?? 'axial';
  const { across, down } = CONVENTION[plane];
  const transpose = columnAxis !== across;
  // The voxel axis that runs across the screen once transposed, and the one that runs down.
  const voxelAcross = transpose ? 1 : 0;
  const voxelDown = transpose ? 0 : 1;
  const sign = (patient: number, voxel: number): number => Math.sign(affine[4 * patient + voxel] ?? 0) || 1;
  const [right, left] = LETTERS[across] ?? ['L', 'R'];
  const [bottom, top] = LETTERS[down] ?? ['P', 'A'];
  return {
    transpose,
    flipX: sign(transpose ? rowAxis : columnAxis, voxelAcross) !== SCREEN_SIGN,
    flipY: sign(transpose ? columnAxis : rowAxis, voxelDown) !== SCREEN_SIGN,
    letters: { left, right, top, bottom },
    plane,
  };
}
