import type { Modality, Volume } from '../formats/volume.ts';
import type { NormalisationRule } from './modelCard.ts';
import { percentile } from './percentile.ts';
import type { Slice } from './slice.ts';

/** An affine map from native units to the network's [0, 1]: clamp((native − offset) · scale, 0, 1). */
export interface Normalisation {
  /** The native value that becomes 0. */
  readonly offset: number;
  /** 1 / (native units that become 0 … 1); above 0. */
  readonly scale: number;
  readonly rule: NormalisationRule['rule'] | 'identity';
  /** The map in words, with its numbers. */
  readonly sentence: string;
  /** What a user should know because the rule could not be applied as meant; else null. */
  readonly notice: string | null;
}

/** A normalised image, and what the clamp to [0, 1] changed. */
export interface NormalisedImage {
  readonly image: Slice;
  /** Finite voxels outside the range, set to its nearest end. */
  readonly clamped: number;
  /** NaN and infinite voxels, set to the range's minimum. */
  readonly nonFinite: number;
}

/** The paper's clamp before [0, 1]: HU for CT, SUV for PET, scanner units for MRI. */
export const PAPER_RANGE = { ct: [-1024, 3072], pet: [0, 20], mri: [0, 4095] } as const satisfies Record<
  Modality,
  readonly [number, number]
>;

/** How a network that is trained from scratch sees images: the rules of the shipped models. */
export const SCRATCH_RULES: Readonly<Record<Modality, NormalisationRule>> = {
  ct: { rule: 'range', from: PAPER_RANGE.ct },
  pet: { rule: 'meanAbovePercentile', percentile: 60, times: 0.05 },
  mri: { rule: 'percentile', percentile: 99.8, times: 0.6 },
};

/** For images that are in [0, 1] already: pictures, `--raw`. */
export const IDENTITY: Normalisation = {
  offset: 0,
  scale: 1,
  rule: 'identity',
  sentence: 'Values are taken as [0, 1].',
  notice: null,
};

/** Whether the readers give this image in [0, 1]: PNG, JPEG and TIFF of whole numbers. */
export function isPicture({ origin }: Volume): boolean {
  return origin.format === 'picture';
}

/**
 * The map for a volume: the card's rule for its modality, else the paper's range; the identity for pictures, which are
 * in [0, 1] as read, and where the modality is null. Percentiles and means are those of the whole volume, so that slices
 * keep their relative brightness.
 */
export function normalisationFor(
  modality: Modality | null,
  volume: Volume,
  rule: NormalisationRule | null,
): Normalisation {
  if (modality === null || isPicture(volume)) return IDENTITY;
  if (rule === null) return rangeNormalisation(PAPER_RANGE[modality], unitsNotice(modality, volume));
  if (rule.rule === 'range') return rangeNormalisation(rule.from, null);
  const [divisor, what] = divisorOf(rule, volume.data);
  if (divisor === null) {
    return {
      ...IDENTITY,
      rule: rule.rule,
      notice: `The volume has no ${what}, so its values are taken as [0, 1]: check that it is the right image.`,
    };
  }
  return {
    offset: 0,
    scale: rule.times / divisor,
    rule: rule.rule,
    sentence: `Divided by ${figure(divisor)}, the ${what}, and multiplied by ${rule.times}.`,
    notice: null,
  };
}

/**
 * Native units → [0, 1]. The clamp is counted, not hidden: voxels outside the range take its nearest end, NaN and ±∞
 * take its minimum.
 */
export function normalise(slice: Slice, { offset, scale }: Normalisation): NormalisedImage {
  const data = new Float32Array(slice.data.length);
  let clamped = 0;
  let nonFinite = 0;
  for (let i = 0; i < data.length; i++) {
    const native = slice.data[i]!;
    if (!Number.isFinite(native)) {
      nonFinite++;
      continue;
    }
    const value = (native - offset) * scale;
    if (value < 0 || value > 1) clamped++;
    data[i] = Math.min(Math.max(value, 0), 1);
  }
  return { image: { ...slice, data }, clamped, nonFinite };
}

/**
 * [0, 1] → native units, value / scale + offset, without a clamp: what the network puts a little below 0 or above 1
 * stays there. A voxel that was clamped or not finite on input gets the restored value like any other, which is always
 * inside or near the range; `NormalisedImage` counts these voxels, and the user is told.
 */
export function denormalise(image: Slice, { offset, scale }: Normalisation): Slice {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = image.data[i]! / scale + offset;
  return { ...image, data };
}

function rangeNormalisation([low, high]: readonly [number, number], notice: string | null): Normalisation {
  return {
    offset: low,
    scale: 1 / (high - low),
    rule: 'range',
    sentence: `${figure(low)} … ${figure(high)} becomes 0 … 1.`,
    notice,
  };
}

function unitsNotice(modality: Modality, { units }: Volume): string | null {
  if (modality !== 'pet' || units === 'SUV') return null;
  const [low, high] = PAPER_RANGE.pet;
  return `This model expects SUV (${low} … ${high}) but the volume is in ${units}; convert it to SUV first.`;
}

/** What a percentile rule divides by, null where it does not exist or is not above 0; and its name. */
function divisorOf(
  rule: Exclude<NormalisationRule, { rule: 'range' }>,
  data: Float32Array,
): [divisor: number | null, what: string] {
  if (rule.rule === 'percentile') {
    return [percentile(data, rule.percentile, (value) => value > 0), `percentile ${rule.percentile} of voxels above 0`];
  }
  const what = `mean of voxels above percentile ${rule.percentile}`;
  const threshold = percentile(data, rule.percentile);
  if (threshold === null) return [null, what];
  let sum = 0;
  let count = 0;
  for (const value of data) {
    if (!(value > threshold) || value === Infinity) continue;
    sum += value;
    count++;
  }
  return [count > 0 && sum > 0 ? sum / count : null, what];
}

const figure = (value: number) => String(Number(value.toPrecision(5))).replace('-', '−');
