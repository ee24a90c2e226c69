import { eachDataSet, itemsOf, numberOf, TAG, textElement, textOf, unsignedShort } from './dataElements.ts';
import type { Elements } from './dataElements.ts';
import { chooseEncoding, decimalString, encodeFrames, finiteRange, holds } from './dicomPixelEncoding.ts';
import type { FrameGroup, PixelEncoding, Rescale, StoredAs } from './dicomPixelEncoding.ts';
import type { Units } from './volume.ts';

/** Pixel Data, Float Pixel Data or Double Float Pixel Data, encoded. */
export interface PixelElement {
  readonly tag: '7FE00008' | '7FE00009' | '7FE00010';
  readonly vr: 'OF' | 'OD' | 'OB' | 'OW';
  readonly samples: ArrayBuffer;
}

/** What became of a file's pixels, as far as the user should know. */
export interface PixelReport {
  /** Voxels that were NaN or infinite. */
  readonly notFinite: number;
  readonly wasColour: boolean;
  /** For each rescale whose slope had to grow: the slopes, and the values that it spans. */
  readonly coarser: readonly { from: number; to: number; least: number; greatest: number }[];
}

/** A rescale, the data set or item that holds it, and the frames it is for. */
interface RescalePlace {
  readonly holder: Elements;
  readonly rescale: Rescale;
  readonly frames: readonly number[];
}

/** A file's pixels before it is settled how they are stored, which images of a series do alike. */
export interface PixelPlan {
  readonly source: StoredAs;
  /** One a place. */
  readonly groups: readonly FrameGroup[];
  /** Whether the rescale intercept may differ from the source's. */
  readonly movable: boolean;
  readonly places: readonly RescalePlace[];
  readonly colour: boolean;
  /** Units of the values, and what rescaled ones were multiplied by in reading (Philips' PET counts), else 1. */
  readonly scale: { readonly factor: number; readonly units: Units };
}

const IDENTITY: Rescale = { slope: 1, intercept: 0 };
const MONOCHROME = new Set(['MONOCHROME1', 'MONOCHROME2']);
/** Only meaningful for colour: planar configuration, palettes, ICC profile, colour space, ultrasound's colour flag. */
const COLOUR_TAGS = [
  '00280006', '00280014', '00281101', '00281102', '00281103', '00281199', '00281201', '00281202', '00281203',
  '00281214', '00281221', '00281222', '00281223', '00282000', '00282002',
];
const REAL_WORLD_VALUES = '00409096';
const MODALITY_LUT_TYPE = '00283004';
const PET_UNITS = '00541001';
/** Philips' factors from counts to SUV and to Bq/mL. */
const PHILIPS_FACTORS = ['70531000', '70531009'];

/** The source's depth and sign; Float and Double Float Pixel Data are told by what the header does not have. */
function sourceStorage(elements: Elements, colour: boolean, greatest: number): StoredAs {
  const allocated = numberOf(elements, TAG.bitsAllocated) ?? 16;
  const stored = numberOf(elements, TAG.bitsStored);
  if (!colour && stored === null && !(TAG.pixelRepresentation in elements) && (allocated === 32 || allocated === 64)) {
    return {
      kind: allocated === 32 ? 'float32' : 'float64', bitsAllocated: allocated, bitsStored: allocated, signed: true,
    };
  }
  if (colour) {
    const bits = Math.round(greatest) > 255 ? 16 : 8;
    return { kind: 'integer', bitsAllocated: bits, bitsStored: bits, signed: false };
  }
  const bitsAllocated = allocated <= 8 ? 8 : allocated <= 16 ? 16 : 32;
  const sound = stored !== null && stored >= 1 && stored <= bitsAllocated;
  return {
    kind: 'integer', bitsAllocated, bitsStored: sound ? stored : bitsAllocated,
    signed: numberOf(elements, TAG.pixelRepresentation) === 1,
  };
}

function rescaleIn(holder: Elements): Rescale {
  const slope = numberOf(holder, TAG.rescaleSlope) ?? 1;
  return { slope: slope === 0 ? 1 : slope, intercept: numberOf(holder, TAG.rescaleIntercept) ?? 0 };
}

function rescalePlaces(elements: Elements, frames: number, plain: boolean, factor: number): RescalePlace[] {
  const all = Array.from({ length: frames }, (_, frame) => frame);
  const transformation = (group: Elements | undefined): Elements | undefined =>
    group && itemsOf(group, TAG.pixelValueTransformation)[0];
  if (plain) return [{ holder: elements, rescale: IDENTITY, frames: all }];
  const perFrame = itemsOf(elements, TAG.perFrameGroups).map(transformation);
  const shared = transformation(itemsOf(elements, TAG.sharedGroups)[0]) ?? elements;
  const scaled = (holder: Elements): Rescale => {
    const { slope, intercept } = rescaleIn(holder);
    return { slope: slope * factor, intercept: intercept * factor };
  };
  if (!perFrame.some(Boolean)) return [{ holder: shared, rescale: scaled(shared), frames: all }];
  return all.map((frame) => {
    const holder = perFrame[frame] ?? shared;
    return { holder, rescale: scaled(holder), frames: [frame] };
  });
}

/** Attributes that describe the samples, for the encoding chosen. */
function setDescription(elements: Elements, { stored }: PixelEncoding): void {
  elements[TAG.samplesPerPixel] = unsignedShort(1);
  elements[TAG.bitsAllocated] = unsignedShort(stored.bitsAllocated);
  if (stored.kind !== 'integer') return;
  elements[TAG.bitsStored] = unsignedShort(stored.bitsStored);
  elements[TAG.highBit] = unsignedShort(stored.bitsStored - 1);
  elements[TAG.pixelRepresentation] = unsignedShort(stored.signed ? 1 : 0);
}

/** Writes rescales where they changed, or where CT and PET images must have one. */
function setRescale(elements: Elements, places: readonly RescalePlace[], encoding: PixelEncoding, units: Units): void {
  const modality = textOf(elements, TAG.modality);
  const lutType = itemsOf(elements, TAG.modalityLut)[0];
  delete elements[TAG.modalityLut];
  places.forEach(({ holder }, index) => {
    const wanted = encoding.rescales[index] ?? IDENTITY;
    const present = TAG.rescaleSlope in holder && TAG.rescaleIntercept in holder;
    const own = rescaleIn(holder);
    const same = own.slope === wanted.slope && own.intercept === wanted.intercept;
    const needless = same && (present || (modality !== 'CT' && modality !== 'PT') || holder !== elements);
    if (needless && !lutType) return;
    holder[TAG.rescaleSlope] = textElement('DS', decimalString(wanted.slope));
    holder[TAG.rescaleIntercept] = textElement('DS', decimalString(wanted.intercept));
    // The PET Image module has no Rescale Type: its Units (0054,1001) say it.
    if (modality === 'PT' && holder === elements) return;
    const type = (lutType && textOf(lutType, MODALITY_LUT_TYPE)) || (units === 'HU' ? 'HU' : 'US');
    if (lutType || textOf(holder, TAG.rescaleType) === '') holder[TAG.rescaleType] = textElement('LO', type);
  });
}

/** PET whose counts were scaled by a private factor: Units say what is now stored, and the factors are dropped. */
function setPetUnits(elements: Elements, units: Units): void {
  elements[PET_UNITS] = textElement('CS', units === 'SUV' ? 'GML' : 'BQML');
  for (const tag of PHILIPS_FACTORS) delete elements[tag];
}

/**
 * The padding that still pads: its value, where the samples mean what they meant in the source and some voxels hold it;
 * otherwise Pixel Padding Value and Range Limit are removed, lest they hide restored voxels.
 */
function settlePadding(elements: Elements, encoding: PixelEncoding, samples: ArrayBuffer, keeps: boolean): void {
  const padding = numberOf(elements, TAG.paddingValue);
  const limit = numberOf(elements, TAG.paddingRangeLimit) ?? padding;
  const { bitsAllocated, signed } = encoding.stored;
  let used = false;
  if (keeps && padding !== null && limit !== null) {
    const view = bitsAllocated === 8 ? (signed ? new Int8Array(samples) : new Uint8Array(samples))
      : bitsAllocated === 16 ? (signed ? new Int16Array(samples) : new Uint16Array(samples))
        : (signed ? new Int32Array(samples) : new Uint32Array(samples));
    const [low, high] = [Math.min(padding, limit), Math.max(padding, limit)];
    used = view.some((sample: number) => sample >= low && sample <= high);
  }
  for (const tag of [TAG.paddingValue, TAG.paddingRangeLimit]) {
    const value = numberOf(elements, tag);
    if (used && value !== null) elements[tag] = { vr: signed ? 'SS' : 'US', Value: [value] };
    else delete elements[tag];
  }
}

/** SOP classes whose samples have a fixed depth or colour (PS3.3, A.8.3–A.8.5) → the one for what is written. */
function fittingSopClass(sopClass: string, bitsAllocated: number): string {
  const multiFrameCapture = '1.2.840.10008.5.1.4.1.1.7.';
  if (!['2', '3', '4'].some((kind) => sopClass === multiFrameCapture + kind)) return sopClass;
  return multiFrameCapture + (bitsAllocated === 8 ? '2' : '3');
}

function pixelElement({ kind, bitsAllocated }: StoredAs, samples: ArrayBuffer): PixelElement {
  if (kind === 'float32') return { tag: '7FE00008', vr: 'OF', samples };
  if (kind === 'float64') return { tag: '7FE00009', vr: 'OD', samples };
  return { tag: '7FE00010', vr: bitsAllocated === 8 ? 'OB' : 'OW', samples };
}

/**
 * Finds out how a file stores its pixels and what the restored values need.
 *
 * @param frames native units, in the file's order of frames
 */
export function planPixels(
  elements: Elements, frames: readonly Float32Array[], scale: PixelPlan['scale'],
): PixelPlan {
  const photometric = textOf(elements, TAG.photometric).trim();
  const colour = (numberOf(elements, TAG.samplesPerPixel) ?? 1) > 1
    || (photometric !== '' && !MONOCHROME.has(photometric));
  const plain = colour || itemsOf(elements, TAG.modalityLut).length > 0;
  const places = rescalePlaces(elements, frames.length, plain, scale.factor);
  const ranges = frames.map((frame) => finiteRange(frame, 0));
  const groups = places.map(({ rescale, frames: members }) => ({
    rescale,
    least: members.reduce((least, frame) => Math.min(least, ranges[frame]?.least ?? 0), Infinity),
    greatest: members.reduce((greatest, frame) => Math.max(greatest, ranges[frame]?.greatest ?? 0), -Infinity),
  }));
  const greatest = groups.reduce((most, group) => Math.max(most, group.greatest), 0);
  return {
    source: sourceStorage(elements, colour, greatest),
    groups, places, colour, scale,
    movable: textOf(elements, TAG.modality).trim() !== 'PT',
  };
}

/**
 * One encoding for all images whose sources are stored alike: PET series must not vary in it (PS3.3, C.8.9.1.1.1), and
 * for others it spares readers surprises.
 *
 * @returns one a plan
 */
export function settleEncodings(plans: readonly PixelPlan[]): PixelEncoding[] {
  const alike = new Map<string, PixelPlan[]>();
  for (const plan of plans) {
    const key = JSON.stringify([plan.source, plan.movable]);
    const members = alike.get(key) ?? [];
    alike.set(key, members);
    members.push(plan);
  }
  const settled = new Map<PixelPlan, PixelEncoding>();
  for (const members of alike.values()) {
    const [first] = members;
    if (!first) continue;
    const whole = chooseEncoding(first.source, members.flatMap(({ groups }) => groups), first.movable);
    const coarser = new Set(whole.coarser);
    let at = 0;
    for (const plan of members) {
      const from = at;
      at += plan.groups.length;
      settled.set(plan, {
        stored: whole.stored,
        rescales: whole.rescales.slice(from, at),
        coarser: plan.groups.flatMap((_, index) => (coarser.has(from + index) ? [index] : [])),
      });
    }
  }
  return plans.flatMap((plan) => settled.get(plan) ?? []);
}

/**
 * Encodes restored values as pixel data and sets the attributes that describe them: the source's rescale and depth
 * wherever the values fit (see `chooseEncoding`); a modality look-up table becomes a linear rescale in the units that
 * the volume has; colour becomes MONOCHROME2; MONOCHROME1 stays.
 *
 * @param frames native units, in the file's order of frames
 */
export function setPixels(
  elements: Elements, frames: readonly Float32Array[], plan: PixelPlan, encoding: PixelEncoding,
): { element: PixelElement; report: PixelReport } {
  const { places, groups, colour, scale } = plan;
  const { stored } = encoding;
  const sameMeaning = !colour && scale.factor === 1
    && places.every(({ rescale }, index) => encoding.rescales[index] === rescale);
  const padding = numberOf(elements, TAG.paddingValue);
  const keepsPadding = sameMeaning && padding !== null && holds(stored, padding);
  const rescaleOf = new Map(places.flatMap(({ frames: members }, index) =>
    members.map((frame): [number, Rescale] => [frame, encoding.rescales[index] ?? IDENTITY])));
  const { bytes, notFinite } = encodeFrames(
    frames.map((values, frame) => ({ values, rescale: rescaleOf.get(frame) ?? IDENTITY })),
    stored,
    keepsPadding ? padding : null,
  );

  settlePadding(elements, encoding, bytes, keepsPadding);
  setDescription(elements, encoding);
  setRescale(elements, places, encoding, scale.units);
  if (scale.factor !== 1) setPetUnits(elements, scale.units);
  if (!sameMeaning || stored.signed !== plan.source.signed) {
    eachDataSet(elements, (dataSet) => delete dataSet[REAL_WORLD_VALUES]);
  }
  if (colour) {
    for (const tag of COLOUR_TAGS) delete elements[tag];
    elements[TAG.photometric] = textElement('CS', 'MONOCHROME2');
  }
  elements[TAG.sopClass] =
    textElement('UI', fittingSopClass(textOf(elements, TAG.sopClass), stored.bitsAllocated));
  const report: PixelReport = {
    notFinite,
    wasColour: colour,
    coarser: encoding.coarser.map((index) => ({
      from: groups[index]?.rescale.slope ?? 1,
      to: encoding.rescales[index]?.slope ?? 1,
      least: groups[index]?.least ?? 0,
      greatest: groups[index]?.greatest ?? 0,
    })),
  };
  return { element: pixelElement(stored, bytes), report };
}
