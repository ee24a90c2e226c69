import type { Volume } from '../../formats/volume.ts';
import type { CanvasSize, FromWorker, SliceState, ViewSettings, Work } from '../protocol.ts';
import type { Source } from '../view/panes.ts';
import { ACQUIRED, keyOf, sliceIndex } from '../view/place.ts';
import type { Place } from '../view/place.ts';
import type { Slice } from '../../image/slice.ts';
import type { Machine } from './device.ts';
import type { Scene } from './display.ts';
import { evaluationOf, metricsOf, scoresOf } from './measure.ts';
import type { Models } from './models.ts';
import type { Precision } from './precision.ts';
import { drawable, isPatchy, picturesAt, storedAs } from './pictures.ts';
import type { Pictures } from './pictures.ts';
import { geometryOf, inputIsReady, referenceSlice } from './study.ts';
import type { Study } from './study.ts';

/** The scroll must rest this long (ms) before a slice is measured. */
const MEASURE_AFTER = 80;
const START: Place = { across: ACQUIRED, voxel: [0, 0, 0], time: 0 };
const SOURCES: readonly Source[] = ['input', 'restored', 'reference'];

/** What everything stands on; `machine` changes where a device was lost. */
export interface Ground {
  readonly post: (message: FromWorker) => void;
  readonly machine: () => Promise<Machine>;
  readonly models: Promise<Models>;
  readonly precision: Precision;
  /** Says that nothing is under way, unless a job is. */
  readonly settle: () => void;
}

/** The study on the screen, where in it the viewer is, and how it is shown. */
export class Stage {
  readonly ground: Ground;
  study: Study | null = null;
  place: Place = START;
  private view: ViewSettings;
  private size: CanvasSize;
  /** What was last drawn. */
  private pictures: Pictures | null = null;
  private measuring: ReturnType<typeof setTimeout> | undefined;

  constructor(ground: Ground, view: ViewSettings, size: CanvasSize) {
    this.ground = ground;
    this.view = view;
    this.size = size;
  }

  /** The acquired slice at the place; on cuts, the one that they were left at. */
  get index(): number {
    return this.study ? sliceIndex(this.place, this.study.volume.slices / this.study.volume.times) : 0;
  }

  /** Whether an acquired slice of a study is what the viewer shows. */
  shows(study: Study, index: number): boolean {
    return this.study === study && this.place.across === ACQUIRED && this.index === index;
  }

  /** A drawing of what there is, with new view settings or size. */
  async show(change: { view?: ViewSettings; size?: CanvasSize }): Promise<void> {
    this.view = change.view ?? this.view;
    this.size = change.size ?? this.size;
    const { display } = await this.ground.machine();
    // What is drawn where there is nothing follows the view.
    if (change.view && this.pictures && isPatchy(this.pictures)) this.paint(display, this.pictures);
    display.draw(this.scene());
  }

  async goTo(place: Place): Promise<void> {
    // A message may still mean the image before this one.
    if (!this.study || !isWithin(this.study.volume, place)) return;
    this.place = place;
    await this.refresh();
  }

  /** Draws everything again, on a new device where the old one was lost. */
  async refresh(keepRestored = false): Promise<void> {
    const { study, place } = this;
    const { display } = await this.ground.machine();
    if (study) {
      this.pictures = this.picturesOf(study, place);
      this.paint(display, this.pictures, keepRestored);
    }
    display.draw(this.scene());
    this.postSlice();
  }

  /** A slice that is seen first may have to be degraded for it, of which the page is told as of a job. */
  private picturesOf(study: Study, place: Place): Pictures {
    if (place.across !== ACQUIRED || inputIsReady(study, this.index)) return picturesAt(study, place);
    this.busy('degrading');
    try {
      return picturesAt(study, place);
    } finally {
      this.ground.settle();
    }
  }

  private paint(display: Machine['display'], pictures: Pictures, keepRestored = false): void {
    const drawn = drawable(pictures, this.view);
    for (const source of SOURCES) {
      if (source === 'restored' && keepRestored) continue;
      const slice = drawn.get(source) ?? null;
      display.set(source, slice && slice.data, slice && storedAs(slice));
    }
  }

  /** What `scene` shows, for drawing it elsewhere. */
  drawn(): Map<Source, Slice> {
    return this.study ? drawable(picturesAt(this.study, this.place), this.view) : new Map();
  }

  scene(): Scene {
    const { study, place, view, size } = this;
    const nothing = { low: 0, high: 1, range: 1 };
    if (!study) return { size, view, slice: null, hasReference: false, evaluation: nothing };
    const hasReference = referenceSlice(study, this.index) !== null;
    const against = this.pictures?.slices.get(hasReference ? 'reference' : 'input');
    const evaluation = view.view === 'ssim' && against ? evaluationOf(study, against) : nothing;
    return { size, view, slice: geometryOf(study.volume, place.across), hasReference, evaluation };
  }

  /** Says what is known of the picture at once, and its measures when the scroll rests. */
  postSlice(): void {
    clearTimeout(this.measuring);
    const { study, place, index, pictures } = this;
    if (!study || !pictures) return;
    const acquired = place.across === ACQUIRED;
    const post = () => this.postState(acquired && study.scores.has(index) ? {} : { metrics: null });
    post();
    if (!acquired || !referenceSlice(study, index)) return;
    const known = study.scores.get(index);
    if (known && (known.restored !== null) === study.restored.has(index)) return;
    this.measuring = setTimeout(() => {
      if (!this.shows(study, index)) return;
      scoresOf(study, index);
      post();
    }, MEASURE_AFTER);
  }

  /** Tells the page of the picture; `known` is what the study does not say yet. */
  postState(known: Partial<SliceState> = {}): void {
    const { study, place, pictures } = this;
    if (!study || !pictures) return;
    const { through, input, restored } = pictures;
    const metrics = known.metrics === undefined ? metricsOf(study, this.index) : known.metrics;
    const half = place.across === ACQUIRED && study.halves.has(this.index);
    const state = { key: keyOf(place), through, input, restored, restoredCount: study.restored.size, half };
    this.ground.post({ type: 'slice', slice: { ...state, ...known, metrics } });
  }

  busy(state: Work['state'], known: Omit<Work, 'state'> = { done: null, total: null, left: null }): void {
    this.ground.post({ type: 'busy', work: { state, ...known } });
  }

  notice(sentence: string): void {
    const trimmed = sentence.replace(/\s+/g, ' ').trim();
    if (trimmed) this.ground.post({ type: 'notice', text: trimmed });
  }
}

function isWithin({ columns, rows, slices, times }: Volume, { voxel, time }: Place): boolean {
  return time < times && [columns, rows, slices / times].every((size, axis) => voxel[axis]! < size);
}
