import { normal } from './affine.ts';
import type { Vector } from './affine.ts';
import { decimal, decimals, double, text, texts } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { firstItem, itemsOf } from './dicomElements.ts';
import type { ElementRun } from './dicomElements.ts';
import { secondsOf, secondsOfDateTime } from './dicomTime.ts';

/** Where a frame lies, what its numbers mean, and what sets it apart from others at the same place. */
export interface FrameFacts {
  /** Within its file, from 0. */
  readonly index: number;
  /** Centre of the first pixel in the patient, mm, LPS. */
  readonly position: Vector | null; // (0020,0032)
  /** Direction of a row (columns grow), then of a column (rows grow), LPS. */
  readonly orientation: readonly [Vector, Vector] | null; // (0020,0037)
  /** mm between rows, then between columns. */
  readonly pixelSpacing: readonly [number, number] | null; // (0028,0030)
  /** Spacing between slices (0018,0088), else slice thickness (0018,0050), mm. */
  readonly sliceSpacing: number | null;
  readonly rescaleSlope: number; // (0028,1053)
  readonly rescaleIntercept: number; // (0028,1052)
  readonly rescaleType: string; // (0028,1054)
  /** Magnitude, phase and such: the third value of the image or frame type, or the complex component. */
  readonly imageType: string; // (0008,0008), (0008,9007), (0008,9208)
  readonly stack: string; // (0020,9056)
  /** The frames of the file follow each other in time: a film. */
  readonly film: boolean; // (0028,0009)
  /** By `TIME_KEYS`; NaN where unknown. */
  readonly order: readonly number[];
}

/** What orders images of one place, the first that differs; in words for sentences. */
export const TIME_KEYS = [
  'temporal position', 'trigger time', 'echo', 'b-value', 'acquisition', 'time', 'instance number', 'frame',
] as const;

/** Orientation cosines are written with few digits; a hundredth is generous. */
const UNIT_TOLERANCE = 1e-2;
/** Frame increment pointers that count time: frame time, frame time vector, time slot, time slice. */
const TIME_POINTERS = new Set(['x00181063', 'x00181065', 'x00540070', 'x00540100']);

const vector = ([a = 0, b = 0, c = 0]: readonly number[]): Vector => [a, b, c];

/** Two unit vectors at a right angle, or null. */
function checkedOrientation(values: readonly number[] | null): FrameFacts['orientation'] {
  if (!values) return null;
  const [row, column] = [vector(values.slice(0, 3)), vector(values.slice(3, 6))];
  const across = row[0] * column[0] + row[1] * column[1] + row[2] * column[2];
  const valid = [Math.hypot(...row) - 1, Math.hypot(...column) - 1, across]
    .every((error) => Math.abs(error) < UNIT_TOLERANCE);
  return valid ? [row, column] : null;
}

function pixelSpacingOf(values: readonly number[] | null): FrameFacts['pixelSpacing'] {
  const [rows = 0, columns = 0] = values ?? [];
  return rows > 0 && columns > 0 ? [rows, columns] : null;
}

type Values = DicomDataSet['dataSet'];

const numbers = (values: readonly number[] | null): Vector | null => (values ? vector(values) : null);

const isNonZero = (value: number): boolean => value !== 0;

function sliceSpacingOf(set: Values): number | null {
  return [decimal(set, 'x00180088', 0), decimal(set, 'x00180050', 0)].map(Math.abs).find(isNonZero) ?? null;
}

function rescaleOf(set: Values): Pick<FrameFacts, 'rescaleSlope' | 'rescaleIntercept' | 'rescaleType'> {
  return {
    rescaleSlope: decimal(set, 'x00281053', 1) || 1,
    rescaleIntercept: decimal(set, 'x00281052', 0),
    rescaleType: text(set, 'x00281054'),
  };
}

/** What a data set says outside functional groups. */
function ownFacts(set: Values): FrameFacts {
  const times = [
    secondsOf(text(set, 'x00080022'), text(set, 'x00080032')),
    secondsOf(text(set, 'x00080023'), text(set, 'x00080033')),
  ];
  return {
    index: 0,
    position: numbers(decimals(set, 'x00200032', 3)),
    orientation: checkedOrientation(decimals(set, 'x00200037', 6)),
    pixelSpacing: pixelSpacingOf(decimals(set, 'x00280030', 2)),
    sliceSpacing: sliceSpacingOf(set),
    ...rescaleOf(set),
    imageType: texts(set, 'x00080008')[2] ?? '',
    stack: '',
    film: false,
    order: [
      decimal(set, 'x00200100', Number.NaN),
      decimal(set, 'x00181060', Number.NaN),
      decimal(set, 'x00180086', null) ?? decimal(set, 'x00180081', Number.NaN),
      Number.NaN,
      decimal(set, 'x00200012', Number.NaN),
      times.find(Number.isFinite) ?? Number.NaN,
      decimal(set, 'x00200013', Number.NaN),
      0,
    ],
  };
}

/** Facts with what functional groups (PS3.3, C.7.6.16) say instead. */
function withGroups(facts: FrameFacts, groups: ElementRun | null | undefined, index: number): FrameFacts {
  const group = (tag: string): Values | null => firstItem(groups, tag)?.dataSet ?? null;
  const [measures, transformation, content] = [group('x00289110'), group('x00289145'), group('x00209111')];
  const [orientation, position] = [group('x00209116'), group('x00209113')];
  const type = group('x00189226') ?? group('x00189329') ?? group('x00189751');
  const [cardiac, echo, diffusion] = [group('x00189118'), group('x00189114'), group('x00189117')];
  const [temporal, trigger, echoTime, bValue, acquisition, time, instance] = facts.order;
  const taken = content ? secondsOfDateTime(text(content, 'x00189074')) : Number.NaN;
  return {
    index,
    position: position ? numbers(decimals(position, 'x00200032', 3)) : facts.position,
    orientation: orientation ? checkedOrientation(decimals(orientation, 'x00200037', 6)) : facts.orientation,
    pixelSpacing: measures ? pixelSpacingOf(decimals(measures, 'x00280030', 2)) : facts.pixelSpacing,
    sliceSpacing: (measures && sliceSpacingOf(measures)) ?? facts.sliceSpacing,
    ...(transformation ? rescaleOf(transformation)
      : { rescaleSlope: facts.rescaleSlope, rescaleIntercept: facts.rescaleIntercept, rescaleType: facts.rescaleType }),
    imageType: type ? text(type, 'x00089208') || (texts(type, 'x00089007')[2] ?? '') : facts.imageType,
    stack: content ? text(content, 'x00209056') : facts.stack,
    film: false,
    order: [
      numberIn(content, 'x00209128', 'uint32') ?? temporal,
      (cardiac && double(cardiac, 'x00209153', null)) ?? trigger,
      (echo && double(echo, 'x00189082', null)) ?? echoTime,
      (diffusion && double(diffusion, 'x00189087', null)) ?? bValue,
      numberIn(content, 'x00209156', 'uint16') ?? acquisition,
      Number.isFinite(taken) ? taken : time,
      instance,
      index,
    ].map((value) => value ?? Number.NaN),
  };
}

function numberIn(set: Values | null, tag: string, kind: 'uint16' | 'uint32'): number | null {
  return (set?.elements[tag]?.length ?? 0) >= (kind === 'uint16' ? 2 : 4) ? set?.[kind](tag) ?? null : null;
}

/**
 * The facts of every frame: by functional groups where the file has them (enhanced objects), otherwise by the data set
 * itself, with the positions of further frames from what steps them.
 *
 * @param count frames, checked by the caller
 */
export function framesOf(parsed: DicomDataSet, count: number): FrameFacts[] {
  const { elements, dataSet } = parsed;
  const own = ownFacts(dataSet);
  const perFrame = itemsOf(elements, 'x52009230', count);
  const shared = firstItem(elements, 'x52009229');
  if (shared || perFrame.length > 0) {
    const common = withGroups(own, shared, 0);
    return Array.from({ length: count }, (_, index) => withGroups(common, perFrame[index], index));
  }
  // Nuclear medicine keeps the place in its detector's description.
  const detector = firstItem(elements, 'x00540022')?.dataSet;
  const first: FrameFacts = {
    ...own,
    position: (detector && numbers(decimals(detector, 'x00200032', 3))) ?? own.position,
    orientation: (detector && checkedOrientation(decimals(detector, 'x00200037', 6))) ?? own.orientation,
  };
  if (count === 1) return [first];
  const pointer = dataSet.attributeTag('x00280009') ?? '';
  const film = TIME_POINTERS.has(pointer);
  const offsets = film ? null : frameOffsets(parsed, first, count);
  return Array.from({ length: count }, (_, index) => ({
    ...first,
    index,
    film,
    position: film ? first.position : offsets && stepped(first, offsets[index] ?? 0),
    order: [...first.order.slice(0, -1), index],
  }));
}

/** A frame's place along the normal of the first. */
function stepped({ position, orientation }: FrameFacts, offset: number): Vector | null {
  if (!position || !orientation) return null;
  const [a, b, c] = normal(...orientation);
  return [position[0] + a * offset, position[1] + b * offset, position[2] + c * offset];
}

/**
 * How far each frame lies from the first, mm along the normal: Grid Frame Offset Vector (3004,000c), or Spacing Between
 * Slices (0018,0088; negative against the normal, PS3.3, C.8.4.15) times the slice's number in the Slice Vector
 * (0054,0080) or the frame's; null where nothing tells.
 */
function frameOffsets({ dataSet }: DicomDataSet, first: FrameFacts, count: number): number[] | null {
  const grid = decimals(dataSet, 'x3004000c', count);
  if (grid) return grid.map((value) => value - (grid[0] ?? 0));
  const spacing = decimal(dataSet, 'x00180088', 0) || (first.sliceSpacing ?? 0);
  if (spacing === 0) return null;
  const slices = (dataSet.elements['x00540080']?.length ?? 0) >= 2 * count;
  return Array.from({ length: count }, (_, index) =>
    spacing * (slices ? (dataSet.uint16('x00540080', index) ?? 1) - 1 : index));
}
