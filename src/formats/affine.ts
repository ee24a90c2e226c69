/** A vector in mm. */
export type Vector = readonly [number, number, number];

/** Length in mm of a voxel axis: 0 columns, 1 rows, 2 slices. */
export function axisLength(affine: readonly number[], axis: number): number {
  return Math.hypot(affine[axis] ?? 0, affine[4 + axis] ?? 0, affine[8 + axis] ?? 0);
}

/** Finite, and its axes are neither zero nor in one plane. */
export function isUsableAffine(affine: readonly number[]): boolean {
  if (!affine.every(Number.isFinite)) return false;
  const [a = 0, b = 0, c = 0, , d = 0, e = 0, f = 0, , g = 0, h = 0, i = 0] = affine;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const size = axisLength(affine, 0) * axisLength(affine, 1) * axisLength(affine, 2);
  return size > 0 && Math.abs(determinant) > 1e-6 * size;
}

/** The unit vector at right angles to two others; zero where they are parallel. */
export function normal([a, b, c]: Vector, [d, e, f]: Vector): Vector {
  const cross: Vector = [b * f - c * e, c * d - a * f, a * e - b * d];
  const length = Math.hypot(...cross) || 1;
  return [cross[0] / length, cross[1] / length, cross[2] / length];
}

/**
 * The 4×4 matrix, row by row, of voxel axes and the centre of the first voxel.
 *
 * @param axes columns, rows, slices: direction times voxel size, mm
 * @param signs of the file's three axes against RAS+: [−1, −1, 1] for a file in LPS
 */
export function affineOf(axes: readonly [Vector, Vector, Vector], origin: Vector, signs: Vector): number[] {
  const row = (k: 0 | 1 | 2): number[] => [axes[0][k], axes[1][k], axes[2][k], origin[k]]
    .map((value) => (value === 0 ? 0 : value * signs[k]));
  return [...row(0), ...row(1), ...row(2), 0, 0, 0, 1];
}
