import { describe, expect, it } from 'vitest';
import { displayTransform } from './orientation.ts';

/** RAS+ direction of each letter. */
const DIRECTIONS: Readonly<Record<string, readonly [number, number, number]>> = {
  R: [1, 0, 0], L: [-1, 0, 0], A: [0, 1, 0], P: [0, -1, 0], S: [0, 0, 1], I: [0, 0, -1],
};

/** An affine whose columns, rows and slices grow towards the three letters, in steps of 2, 3 and 5 mm. */
function affineOf(letters: string): number[] {
  const [a, b, c] = [...letters].map((letter) => DIRECTIONS[letter] ?? [0, 0, 0]);
  return [0, 1, 2].flatMap((axis) => [2 * (a?.[axis] ?? 0), 3 * (b?.[axis] ?? 0), 5 * (c?.[axis] ?? 0), 7])
    .concat([0, 0, 0, 1]);
}

describe('radiological display', () => {
  // [voxel axes grow towards, plane, transpose, flipX, flipY], by hand: patient's right on the left of the screen.
  const cases = [
    ['LPS', 'axial', false, false, false], // as DICOM stores axial slices
    ['RAS', 'axial', false, true, true], // as most NIfTI files
    ['LAS', 'axial', false, false, true], // FSL, MNI templates
    ['PLS', 'axial', true, false, false],
    ['ARI', 'axial', true, true, true],
    ['LIP', 'coronal', false, false, false],
    ['RSA', 'coronal', false, true, true],
    ['SLP', 'coronal', true, false, true],
    ['PIL', 'sagittal', false, false, false],
    ['ASR', 'sagittal', false, true, true],
    ['SAR', 'sagittal', true, true, true],
    ['IAL', 'sagittal', true, true, false],
  ] as const;
  for (const [letters, plane, transpose, flipX, flipY] of cases) {
    it(`${letters} is ${plane}`, () => {
      expect(displayTransform(affineOf(letters))).toMatchObject({ plane, transpose, flipX, flipY });
    });
  }

  it('names the edges as displayed', () => {
    expect(displayTransform(affineOf('RAS')).letters).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
    expect(displayTransform(affineOf('LIP')).letters).toEqual({ left: 'R', right: 'L', top: 'S', bottom: 'I' });
    expect(displayTransform(affineOf('SAR')).letters).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' });
  });

  it('gives oblique slices the nearest plane and never one axis twice', () => {
    // Rows and columns both lie nearest to front–back (cosines 0.8 and 0.6): only one of them can be it.
    const tilted = [-0.6, 0, 0.8, 0, -0.8, -0.6, -0.48, 0, 0, 0.8, -0.36, 0, 0, 0, 0, 1];
    const { letters } = displayTransform(tilted);
    expect(new Set(Object.values(letters ?? {})).size).toBe(4);
    const turn = Math.PI / 9;
    const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
    const coronalish = [-1, 0, 0, 0, 0, sin, cos, 0, 0, -cos, sin, 0, 0, 0, 0, 1];
    expect(displayTransform(coronalish))
      .toMatchObject({ plane: 'coronal', transpose: false, flipX: false, flipY: false });
  });

  // The same volumes cut across their rows' axis (j) and their columns' axis (i), by hand: a cut across j has columns
  // along i and rows along k, a cut across i has columns along j and rows along k.
  const cuts = [
    ['LPS', 1, 'coronal', false, false, true], // k grows to the head: bottom to top
    ['LPS', 0, 'sagittal', false, false, true],
    ['RAS', 1, 'coronal', false, true, true],
    ['RAS', 0, 'sagittal', false, true, true],
    ['PIL', 1, 'axial', true, false, false], // i runs to the back, k to the left: exchanged
    ['PIL', 0, 'coronal', true, false, false],
    ['LIP', 1, 'axial', false, false, false],
    ['LIP', 0, 'sagittal', true, false, false], // j runs down to the feet, k to the back: exchanged
    ['SLA', 1, 'sagittal', true, true, true],
  ] as const;
  for (const [letters, across, plane, transpose, flipX, flipY] of cuts) {
    it(`${letters} cut across its ${across === 0 ? 'columns' : 'rows'} is ${plane}`, () => {
      expect(displayTransform(affineOf(letters), across)).toMatchObject({ plane, transpose, flipX, flipY });
    });
  }

  it('gives the three cuts of one oblique volume three planes', () => {
    const tilted = [-0.6, 0, 0.8, 0, -0.8, -0.6, -0.48, 0, 0, 0.8, -0.36, 0, 0, 0, 0, 1];
    const planes = ([0, 1, 2] as const).map((across) => displayTransform(tilted, across).plane);
    expect(new Set(planes)).toEqual(new Set(['axial', 'coronal', 'sagittal']));
  });

  it('shows slices as stored, without letters, where the file does not say', () => {
    expect(displayTransform(null))
      .toEqual({ transpose: false, flipX: false, flipY: false, letters: null, plane: null });
  });
});
