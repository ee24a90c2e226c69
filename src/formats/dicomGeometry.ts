import { affineOf, normal } from './affine.ts';
import type { Vector } from './affine.ts';
import { TIME_KEYS } from './dicomFrames.ts';
import type { FrameFacts } from './dicomFrames.ts';
import type { Volume } from './volume.ts';

/** Frames in the order of a volume, and where they lie. */
export interface DicomStack<Frame> {
  /** Time by time, within each by place. */
  readonly frames: readonly Frame[];
  readonly times: number;
  readonly spacing: Volume['spacing'];
  readonly affine: Volume['affine'];
  readonly notices: readonly string[];
  /** Frames at places that others have taken. */
  readonly rest: readonly Frame[];
}

/** Positions closer than this along the normal, in mm, are the same place; files give three decimals or more. */
const SAME_PLACE = 2e-3;
/** Distances between slices may differ by this part before the user is told; positions are rounded in files. */
const GAP_TOLERANCE = 0.02;
/** The fewest slices that other planes can sensibly be cut from. */
const FEW_SLICES = 4;
const FROM_LPS: Vector = [-1, -1, 1];

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const scaled = ([a, b, c]: Vector, by: number): Vector => [a * by, b * by, c * by];

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
};

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
const millimetres = (value: number): string => `${Number(value.toPrecision(4))} mm`;
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** By `FrameFacts.order`, the first key that differs; unknown ones first. */
function byOrder(a: FrameFacts, b: FrameFacts): number {
  for (let key = 0; key < TIME_KEYS.length; key += 1) {
    const [left, right] = [orderOf(a, key), orderOf(b, key)];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function orderOf({ order }: FrameFacts, key: number): number {
  const value = order[key] ?? Number.NaN;
  return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
}

const FILE_KEYS = [TIME_KEYS.indexOf('instance number'), TIME_KEYS.indexOf('frame')];

/** Frames by instance number and frame, without regard to positions; distances only where the header states them. */
export function stackInFileOrder<Frame extends FrameFacts>(frames: readonly Frame[]): DicomStack<Frame> {
  const ordered = [...frames].sort((a, b) =>
    FILE_KEYS.reduce((result, key) => result || orderOf(a, key) - orderOf(b, key) || 0, 0));
  const [first] = ordered;
  const film = ordered.length > 1 && ordered.every((frame) => frame.film);
  const notices: string[] = [];
  if (film) notices.push(`The ${ordered.length} frames follow each other in time.`);
  else if (ordered.length > 1) {
    notices.push('The files do not say how the slices lie to each other; they are shown by instance and frame number.');
  }
  return {
    frames: ordered,
    times: film ? ordered.length : 1,
    spacing: first?.pixelSpacing
      ? { x: first.pixelSpacing[1], y: first.pixelSpacing[0], z: first.sliceSpacing ?? 1 } : null,
    affine: null,
    notices,
    rest: [],
  };
}

/** Frames with the same position along the normal, in order of it. */
interface Place<Frame> { readonly along: number; readonly frames: readonly Frame[] }

/** @returns places in order, and the frames that lie in the plane of another but beside it */
function placesOf<Frame extends FrameFacts>(
  frames: readonly Frame[], direction: Vector,
): { places: Place<Frame>[]; beside: Frame[] } {
  const sorted = frames.map((frame) => ({ frame, along: dot(direction, frame.position ?? [0, 0, 0]) }))
    .sort((a, b) => a.along - b.along);
  const planes: { along: number; frames: Frame[] }[] = [];
  for (const { frame, along } of sorted) {
    const last = planes[planes.length - 1];
    if (last && along - last.along < SAME_PLACE) last.frames.push(frame);
    else planes.push({ along, frames: [frame] });
  }
  const beside: Frame[] = [];
  const places = planes.map((plane) => {
    const [first] = plane.frames.sort(byOrder);
    const together: Frame[] = [];
    for (const frame of plane.frames) (first && isBeside(frame, first) ? beside : together).push(frame);
    return { along: plane.along, frames: together };
  });
  return { places, beside };
}

/** Whether a frame of the same plane is shifted by more than half a pixel. */
function isBeside(a: FrameFacts, b: FrameFacts): boolean {
  const shift = minus(a.position ?? [0, 0, 0], b.position ?? [0, 0, 0]);
  return Math.hypot(...shift) > Math.min(...(b.pixelSpacing ?? [1])) / 2;
}

/** Of each place, the frames of the volume, as many everywhere; and those that are left. */
interface Chosen<Frame> {
  readonly times: readonly (readonly Frame[])[];
  readonly rest: readonly Frame[];
  readonly notice: string | null;
}

/**
 * Makes time points of frames at one place. Where every place has as many, they are counted through; otherwise by the
 * first key whose values label time points, those that are complete; otherwise the first frame of every place.
 */
function chooseTimes<Frame extends FrameFacts>(places: readonly Place<Frame>[]): Chosen<Frame> {
  const counts = places.map((place) => place.frames.length);
  const [fewest, greatest] = [least(counts), most(counts)];
  if (greatest === 1) return { times: [places.flatMap((place) => place.frames)], rest: [], notice: null };
  const where = places.length === 1 ? 'All images lie at one place' : `Each of the ${places.length} places was imaged`;
  if (fewest === greatest) {
    const times = Array.from({ length: fewest }, (_, time) =>
      places.flatMap((place) => place.frames.slice(time, time + 1)));
    const by = differing(places);
    return {
      times,
      rest: [],
      notice: places.length === 1 ? `${where}: ${fewest} time points, by ${by}, not a volume.`
        : `${where} ${fewest} times; shown as time points, by ${by}.`,
    };
  }
  const labelled = byLabel(places, greatest);
  const times = labelled ?? [places.flatMap((place) => place.frames.slice(0, 1))];
  const used = new Set(times.flat());
  const rest = places.flatMap((place) => place.frames).filter((frame) => !used.has(frame));
  const total = used.size + rest.length;
  return {
    times,
    rest,
    notice: `${rest.length} of ${total} slices lie where another one does and were left out; ` +
      'they are listed as an image of their own.',
  };
}

/** What tells the images of one place apart. */
function differing<Frame extends FrameFacts>(places: readonly Place<Frame>[]): string {
  const frames = places[0]?.frames ?? [];
  const key = TIME_KEYS.findIndex((_, index) => new Set(frames.map((frame) => orderOf(frame, index))).size > 1);
  return TIME_KEYS[key] ?? 'name';
}

/** The complete time points of the first key that no two frames of one place share; null where there is no such key. */
function byLabel<Frame extends FrameFacts>(places: readonly Place<Frame>[], greatest: number): Frame[][] | null {
  for (let key = 0; key < TIME_KEYS.indexOf('instance number'); key += 1) {
    const unique = places.every((place) =>
      new Set(place.frames.map((frame) => orderOf(frame, key))).size === place.frames.length);
    if (!unique) continue;
    const byValue = new Map<number, Frame[]>();
    for (const frame of places.flatMap((place) => place.frames)) {
      const value = orderOf(frame, key);
      const group = byValue.get(value);
      if (group) group.push(frame);
      else byValue.set(value, [frame]);
    }
    const complete = [...byValue].sort(([a], [b]) => a - b).map(([, frames]) => frames)
      .filter((frames) => frames.length === places.length);
    // Labels that are as many as the slices (times of day) do not label time points.
    if (byValue.size <= 2 * greatest && complete.length > 0) return complete;
  }
  return null;
}

/** Sentences about the distances between neighbouring places. */
function gapNotices(gaps: readonly number[], gap: number): string[] {
  if (!isUneven(gaps, gap)) return [];
  const range = `${millimetres(least(gaps))} to ${millimetres(most(gaps))}`;
  const steps = gaps.map((value) => value / gap);
  const whole = steps.every((step) => Math.abs(step - Math.round(step)) <= GAP_TOLERANCE * step && step > 0.5);
  const missing = steps.reduce((sum, step) => sum + Math.round(step) - 1, 0);
  const supposed = whole ? `: ${plural(missing, 'slice')} ${missing === 1 ? 'seems' : 'seem'} to be missing` : '';
  return [`Slices are not evenly spaced (${range})${supposed}; ${millimetres(gap)} is assumed throughout.`];
}

const isUneven = (gaps: readonly number[], gap: number): boolean =>
  gaps.some((value) => Math.abs(value - gap) > GAP_TOLERANCE * gap);

/**
 * Orders frames of one size and orientation by their position along the slice normal (row direction × column direction
 * of Image Orientation (Patient) (0020,0037), projected from Image Position (Patient) (0020,0032); PS3.3, C.7.6.2.1.1),
 * never by name. Several at one place become time points.
 *
 * @param frames at least one; all with or all without positions
 */
export function stackFrames<Frame extends FrameFacts>(frames: readonly Frame[]): DicomStack<Frame> {
  const orientation = frames[0]?.orientation ?? null;
  if (!orientation || frames.some((frame) => !frame.position)) return stackInFileOrder(frames);
  const [across, down] = orientation;
  const direction = normal(across, down);
  const { places, beside } = placesOf(frames, direction);
  const { times, rest: surplus, notice } = chooseTimes(places);
  const ordered = times.flat();
  const rest = [...surplus, ...beside];
  const notices = notice ? [notice] : [];
  if (beside.length > 0) {
    notices.push(`${plural(beside.length, 'slice')} beside these in their plane are listed as an image of their own.`);
  }

  const first = times[0]?.[0] ?? frames[0];
  const last = times[0]?.[places.length - 1] ?? first;
  const gaps = places.slice(1).map((place, index) => place.along - (places[index]?.along ?? 0));
  const usual = median(gaps);
  const way = (places[places.length - 1]?.along ?? 0) - (places[0]?.along ?? 0);
  // The mean of equal steps is nearer the truth than any of them, whose positions are rounded.
  const gap = gaps.length === 0 ? first?.sliceSpacing ?? 1 : isUneven(gaps, usual) ? usual : way / gaps.length;
  notices.push(...gapNotices(gaps, usual));
  if (places.length > 1 && places.length < FEW_SLICES) notices.push(`There are only ${places.length} slices.`);
  if (!first?.pixelSpacing || !first.position) {
    notices.push('The files do not say how large their pixels are.');
    return { frames: ordered, times: times.length, spacing: null, affine: null, notices, rest };
  }
  const [rowSpacing, columnSpacing] = first.pixelSpacing;
  // From the positions themselves, so that a tilted gantry (slices shifted in plane) is kept.
  const step = way > 0 && last?.position
    ? scaled(minus(last.position, first.position), gap / way) : scaled(direction, gap);
  const tilt = Math.acos(Math.min(1, gap / (Math.hypot(...step) || 1))) * 180 / Math.PI;
  if (tilt > TILT_TOLERANCE) {
    notices.push(
      `Slices are shifted against each other (gantry tilt of ${tilt.toFixed(1)}°); they are shown as acquired.`,
    );
  }
  return {
    frames: ordered,
    times: times.length,
    spacing: { x: columnSpacing, y: rowSpacing, z: gap },
    affine: affineOf([scaled(across, columnSpacing), scaled(down, rowSpacing), step], first.position, FROM_LPS),
    notices,
    rest,
  };
}

/** Degrees; rounded cosines and positions give less. */
const TILT_TOLERANCE = 0.5;
