import { describe, expect, it } from 'vitest';
import type { Volume } from '../../formats/volume.ts';
import type { ViewSettings } from '../protocol.ts';
import type { Place } from '../view/place.ts';
import { drawable, isPatchy, picturesAt } from './pictures.ts';
import { newStudy } from './study.ts';
import type { Study } from './study.ts';

/** 3 columns × 2 rows × 2 slices × 2 times; the voxel (i, j, k) at time t is 1000 t + 100 k + 10 j + i. */
const volume: Volume = {
  name: 'numbers', format: 'nrrd', modality: 'ct', units: 'raw', columns: 3, rows: 2, slices: 4, times: 2,
  data: Float32Array.from({ length: 24 }, (_, n) =>
    1000 * Math.floor(n / 12) + 100 * (Math.floor(n / 6) % 2) + 10 * (Math.floor(n / 3) % 2) + (n % 3)),
  spacing: null, affine: null, suv: null, origin: { format: 'plain', type: 'float32' }, notices: [],
};
const at = (across: 0 | 1 | 2, voxel: Place['voxel'], time: number): Place => ({ across, voxel, time });
const view = (name: ViewSettings['view'], inverted = false): ViewSettings => ({
  view: name, window: 100, level: 50, inverted, divider: 0.5, camera: { zoom: 1, panX: 0, panY: 0 },
});
const slice = (data: number[]) => ({ width: 3, height: 2, data: Float32Array.from(data) });

/** The study with the second slice of the second time restored: every voxel −1. */
function partlyRestored(): Study {
  const study = newStudy(volume);
  study.restored.set(3, slice([-1, -1, -1, -1, -1, -1]));
  return study;
}

describe('pictures', () => {
  it('of an acquired slice are the slice of that time', () => {
    const { slices, through, input, restored } = picturesAt(newStudy(volume), at(2, [0, 0, 1], 1));
    expect([...slices.get('input')!.data]).toEqual([1100, 1101, 1102, 1110, 1111, 1112]);
    expect([through, input, restored]).toEqual([1, 1, 0]);
  });

  it('of a cut go through the slices of that time alone', () => {
    const { slices, through } = picturesAt(newStudy(volume), at(1, [0, 1, 0], 1));
    expect([...slices.get('input')!.data]).toEqual([1010, 1011, 1012, 1110, 1111, 1112]);
    expect(through).toBe(2);
    expect(slices.has('restored')).toBe(false);
  });

  it('of a cut through restored slices are empty where none is, and say how many there are', () => {
    const pictures = picturesAt(partlyRestored(), at(0, [2, 0, 0], 1));
    expect([...pictures.slices.get('restored')!.data]).toEqual([NaN, NaN, -1, -1]);
    expect([pictures.input, pictures.restored, isPatchy(pictures)]).toEqual([2, 1, true]);
    expect(picturesAt(partlyRestored(), at(0, [2, 0, 0], 0)).restored).toBe(0);
  });
});

describe('what is drawn where a cut has nothing to show', () => {
  const place = at(0, [2, 0, 0], 1);
  const drawn = (settings: ViewSettings, study = partlyRestored()) =>
    [...drawable(picturesAt(study, place), settings).get('restored')!.data];

  it('is black, whichever end of the window that is', () => {
    expect(drawn(view('side'))).toEqual([0, 0, -1, -1]);
    expect(drawn(view('swipe', true))).toEqual([100, 100, -1, -1]);
  });

  it('is what it is compared with where images are compared, so that no difference shows', () => {
    expect(drawn(view('difference'))).toEqual([1002, 1012, -1, -1]);
    const reference = { ...volume, data: volume.data.map((value) => value + 5) };
    const study: Study = { ...partlyRestored(), reference: { volume: reference, kind: 'file' } };
    expect(drawn(view('ssim'), study)).toEqual([1007, 1017, -1, -1]);
  });
});
