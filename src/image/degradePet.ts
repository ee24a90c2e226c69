import { backproject, project, toSquare } from './projection.ts';
import type { Random } from './random.ts';
import type { Slice } from './slice.ts';

export interface PetDegradation {
  /** Dose reduction factor: the counts are divided by it. */
  readonly drf: number;
  /** True coincidences of the slice at full dose. */
  readonly counts: number;
  readonly angles: number;
  readonly subsets: number;
  readonly iterations: number;
}

export const PET_DEFAULTS = { drf: 12, counts: 4e5, angles: 96, subsets: 8, iterations: 2 } as const;

/** Keeps OSEM's quotients finite where nothing is projected; far below one count. */
const EPSILON = 1e-6;

/**
 * A PET slice at a fraction of its counts: its projections, scaled to counts/drf in all, are drawn from the Poisson
 * distribution and reconstructed by OSEM (Hudson and Larkin 1994). Any linear units: the result is in those of the
 * slice, because the scale is taken out again. No attenuation, scatter or randoms. The last subset alone would decide
 * the total, so the result is scaled to all counts drawn: its mean activity varies as they do, by √(drf/counts).
 *
 * Not square: zeros are added to make it so. Non-finite voxels count as 0, so the result is finite everywhere; a slice
 * without activity, or without a single count, gives zeros.
 */
export function degradePet(slice: Slice, degradation: PetDegradation, random: Random): Slice {
  const { drf, counts, angles, subsets, iterations } = degradation;
  const { n, data, back } = toSquare(slice, 0);
  const activity = data.map((value) => (Number.isFinite(value) ? value : 0));
  const geometry = { n, angles };
  const measured = project(geometry, activity).map((value) => Math.max(value, 0));
  const total = measured.reduce((sum, value) => sum + value, 0);
  if (total === 0) return back(new Float32Array(n * n));
  const scale = counts / drf / total;
  let drawn = 0;
  for (let i = 0; i < measured.length; i++) drawn += measured[i] = random.poisson(measured[i]! * scale);
  if (drawn === 0) return back(new Float32Array(n * n));

  const image = new Float32Array(n * n).fill(drawn / angles / n / n);
  const groups = Array.from({ length: subsets }, (_, k) =>
    Array.from({ length: Math.ceil((angles - k) / subsets) }, (_, i) => k + i * subsets),
  );
  const ones = new Float32Array(angles * n).fill(1);
  const sensitivities = groups.map((group) => backproject(geometry, ones, group).map((value) => value + EPSILON));
  const ratio = new Float32Array(angles * n);
  for (let iteration = 0; iteration < iterations; iteration++) {
    groups.forEach((group, k) => {
      project(geometry, image, group, ratio);
      for (const a of group) {
        for (let i = a * n; i < (a + 1) * n; i++) ratio[i] = measured[i]! / (ratio[i]! + EPSILON);
      }
      const update = backproject(geometry, ratio, group);
      const sensitivity = sensitivities[k]!;
      for (let i = 0; i < image.length; i++) image[i]! *= update[i]! / sensitivity[i]!;
    });
  }
  const inverse = drawn / scale / seenBy(image, sensitivities);
  return back(image.map((value) => value * inverse));
}

/** Counts that an image would give: the sum over its pixels and over the subsets. */
function seenBy(image: Float32Array, sensitivities: readonly Float32Array[]): number {
  let sum = 0;
  for (const sensitivity of sensitivities) for (let i = 0; i < image.length; i++) sum += image[i]! * sensitivity[i]!;
  return sum;
}
