import { sliceOf } from '../../image/slice.ts';
import type { Slice } from '../../image/slice.ts';
import { cutAcross } from '../../image/reslice.ts';
import type { Cut } from '../../image/reslice.ts';
import type { ViewSettings } from '../protocol.ts';
import type { Source } from '../view/panes.ts';
import { sliceIndex } from '../view/place.ts';
import type { Place } from '../view/place.ts';
import type { Stored } from './display.ts';
import { inputSlice, referenceSlice } from './study.ts';
import type { Study } from './study.ts';

/** What there is to be seen at a place. */
export interface Pictures {
  /** In native units; on cuts NaN where a slice is not there. */
  readonly slices: ReadonlyMap<Source, Slice>;
  /** How many acquired slices the picture goes through, and how many of the input's and of the restored ones are there. */
  readonly through: number;
  readonly input: number;
  readonly restored: number;
}

/** An acquired slice, made where it has to be simulated; or a cut through those that there are. */
export function picturesAt(study: Study, place: Place): Pictures {
  const { columns, rows, slices, times } = study.volume;
  const perTime = slices / times;
  if (place.across === 2) {
    const index = sliceIndex(place, perTime);
    const restored = study.restored.get(index);
    const all: [Source, Slice | null | undefined][] = [
      ['input', inputSlice(study, index)],
      ['restored', restored],
      ['reference', referenceSlice(study, index)],
    ];
    return { slices: mapOf(all), through: 1, input: 1, restored: restored ? 1 : 0 };
  }
  const { across, time, voxel } = place;
  const cut = (slice: (index: number) => Slice | null | undefined): Cut =>
    cutAcross(
      { columns, rows, slices: perTime, slice: (k) => slice(time * perTime + k)?.data ?? null },
      across,
      voxel[across],
    );
  // Simulating a whole volume for one cut would take minutes: cuts show what was simulated so far.
  const input = cut((k) => (study.degradation === null ? sliceOf(study.volume, k) : study.degraded.get(k)));
  const restored = cut((k) => study.restored.get(k));
  const all: [Source, Slice | null][] = [
    ['input', input.image],
    ['restored', restored.present > 0 ? restored.image : null],
    ['reference', study.reference || study.degradation !== null ? cut((k) => referenceSlice(study, k)).image : null],
  ];
  return { slices: mapOf(all), through: perTime, input: input.present, restored: restored.present };
}

function mapOf(all: readonly [Source, Slice | null | undefined][]): Map<Source, Slice> {
  return new Map(all.filter((entry): entry is [Source, Slice] => entry[1] != null));
}

/** Some of what is shown is not there, so that `drawable` depends on the view. */
export const isPatchy = ({ through, input, restored }: Pictures): boolean =>
  input < through || (restored > 0 && restored < through);

/**
 * The pictures as the display draws them, which has no use for NaN: black where a cut has nothing to show, no
 * difference where it has nothing to compare, the slice's minimum for single voxels that are not numbers.
 */
export function drawable(pictures: Pictures, view: ViewSettings): Map<Source, Slice> {
  const { slices } = pictures;
  if (!isPatchy(pictures)) return new Map([...slices].map(([source, slice]) => [source, finite(slice)]));
  const black = view.level + (view.inverted ? view.window / 2 : -view.window / 2);
  const compares = view.view === 'difference' || view.view === 'ssim';
  const partner = slices.get('reference') ?? slices.get('input');
  return new Map(
    [...slices].map(([source, slice]) => {
      const other = compares ? (source === 'input' ? slices.get('reference') : partner) : undefined;
      const data = slice.data.map((value, i) => {
        if (Number.isFinite(value)) return value;
        const beside = other?.data[i];
        return beside !== undefined && Number.isFinite(beside) ? beside : black;
      });
      return [source, { ...slice, data }];
    }),
  );
}

/** Voxels that are not numbers are drawn as the slice's minimum. */
export function finite(slice: Slice): Slice {
  const { data } = slice;
  if (data.every(Number.isFinite)) return slice;
  let low = Infinity;
  for (const value of data) if (Number.isFinite(value) && value < low) low = value;
  return { ...slice, data: data.map((value) => (Number.isFinite(value) ? value : low === Infinity ? 0 : low)) };
}

/** A slice in memory, as a display is told of it. */
export function storedAs({ width, height }: Slice): Stored {
  return { columns: width, rows: height, stride: width, scale: 1, offset: 0 };
}
