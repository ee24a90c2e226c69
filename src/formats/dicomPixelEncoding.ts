/** How samples are stored (PS3.3, C.7.6.3; float: C.7.6.24 and C.7.6.25). */
export interface StoredAs {
  readonly kind: 'integer' | 'float32' | 'float64';
  readonly bitsAllocated: 8 | 16 | 32 | 64;
  readonly bitsStored: number;
  readonly signed: boolean;
}

/** value = slope · stored + intercept. */
export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
}

/** Frames that share one rescale, and the least and greatest of their finite values. */
export interface FrameGroup {
  readonly rescale: Rescale;
  readonly least: number;
  readonly greatest: number;
}

/** How a file's samples are going to be written. */
export interface PixelEncoding {
  readonly stored: StoredAs;
  /** One a group, in order. */
  readonly rescales: readonly Rescale[];
  /** Groups for which the slope had to grow. */
  readonly coarser: readonly number[];
}

const limits = ({ bitsStored, signed }: StoredAs): { least: number; greatest: number } =>
  (signed ? { least: -(2 ** (bitsStored - 1)), greatest: 2 ** (bitsStored - 1) - 1 }
    : { least: 0, greatest: 2 ** bitsStored - 1 });

/** The stored values that a group needs on its own grid. */
function needed({ rescale, least, greatest }: FrameGroup): { least: number; greatest: number } {
  const [a, b] = [least, greatest].map((value) => Math.round((value - rescale.intercept) / rescale.slope));
  return { least: Math.min(a ?? 0, b ?? 0), greatest: Math.max(a ?? 0, b ?? 0) };
}

function fits(group: FrameGroup, stored: StoredAs): boolean {
  const limit = limits(stored);
  const span = needed(group);
  return span.least >= limit.least && span.greatest <= limit.greatest;
}

/** Whether a stored value is a whole number within reach. */
export function holds(stored: StoredAs, value: number): boolean {
  const { least, greatest } = limits(stored);
  return stored.kind === 'integer' && Number.isInteger(value) && value >= least && value <= greatest;
}

/** A number as a decimal string (DS) of at most 16 characters, as exact as that allows. */
export function decimalString(value: number): string {
  for (let digits = 17; digits > 1; digits -= 1) {
    const rounded = Number(value.toPrecision(digits));
    const text = [String(rounded), rounded.toExponential()].find(({ length }) => length <= 16);
    if (text !== undefined) return text;
  }
  return value.toExponential(0);
}

/** What is left of a rescale once it is written as text. */
const asWritten = (slope: number, intercept: number): Rescale =>
  ({ slope: Number(decimalString(slope)), intercept: Number(decimalString(intercept)) });

/**
 * Chooses how restored values are stored, changing as little as the values allow: the source's own depth and sign; then
 * 16 bits (32 where the source had more than 16) of either sign; then, where `movable`, another intercept on the same
 * grid; and only where the range has more steps than the depth, a larger slope. Up to the last step, every value is
 * within half a step of the source's slope.
 *
 * @param movable the intercept may differ from the source's (not for PET, where PS3.3 C.8.9.4 makes it 0)
 */
export function chooseEncoding(source: StoredAs, groups: readonly FrameGroup[], movable: boolean): PixelEncoding {
  const unchanged = groups.map(({ rescale }) => rescale);
  if (source.kind !== 'integer') return { stored: source, rescales: unchanged, coarser: [] };
  const depth = source.bitsAllocated > 16 ? 32 : 16;
  const full = (signed: boolean): StoredAs => ({ kind: 'integer', bitsAllocated: depth, bitsStored: depth, signed });
  for (const stored of [source, full(source.signed), full(!source.signed)]) {
    if (groups.every((group) => fits(group, stored))) return { stored, rescales: unchanged, coarser: [] };
  }
  const stored = full(!movable && groups.some((group) => needed(group).least < 0));
  const limit = limits(stored);
  const coarser: number[] = [];
  const rescales = groups.map((group, index) => {
    const { rescale, least, greatest } = group;
    const { slope, intercept } = rescale;
    const span = needed(group);
    if (fits(group, stored)) return rescale;
    if (movable && span.greatest - span.least <= limit.greatest) {
      return asWritten(slope, intercept + slope * span.least);
    }
    coarser.push(index);
    // One step fewer than there are, so that the slope's rounding to text cannot push an end out of range.
    if (movable) return asWritten((greatest - least) / (limit.greatest - 1), least);
    const below = limit.least === 0 ? 0 : (least - intercept) / (limit.least + 1);
    return asWritten(Math.max((greatest - intercept) / (limit.greatest - 1), below), intercept);
  });
  return { stored, rescales, coarser };
}

/** Least and greatest finite value; both `otherwise` where there is none. */
export function finiteRange(values: Float32Array, otherwise: number): { least: number; greatest: number } {
  let least = Infinity;
  let greatest = -Infinity;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0;
    if (value < least && value !== -Infinity) least = value;
    if (value > greatest && value !== Infinity) greatest = value;
  }
  return least <= greatest ? { least, greatest } : { least: otherwise, greatest: otherwise };
}

function arrayFor({ kind, bitsAllocated, signed }: StoredAs, length: number):
Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array {
  if (kind === 'float32') return new Float32Array(length);
  if (kind === 'float64') return new Float64Array(length);
  if (bitsAllocated === 8) return signed ? new Int8Array(length) : new Uint8Array(length);
  if (bitsAllocated === 16) return signed ? new Int16Array(length) : new Uint16Array(length);
  return signed ? new Int32Array(length) : new Uint32Array(length);
}

/**
 * Encodes frames one after another, little endian (which is what every browser's typed arrays are), rounded to the
 * nearest stored value; bits above `bitsStored` repeat the sign.
 *
 * @param frames values in native units, with the rescale each is stored with
 * @param blank stored value of voxels that are not finite; null: the least that can be stored
 * @returns the bytes, and how many voxels were not finite
 */
export function encodeFrames(
  frames: readonly { readonly values: Float32Array; readonly rescale: Rescale }[],
  stored: StoredAs,
  blank: number | null,
): { bytes: ArrayBuffer; notFinite: number } {
  const pixels = frames[0]?.values.length ?? 0;
  const samples = arrayFor(stored, pixels * frames.length);
  const { least, greatest } = limits(stored);
  const integer = stored.kind === 'integer';
  let notFinite = 0;
  frames.forEach(({ values, rescale: { slope, intercept } }, frame) => {
    for (let index = 0; index < pixels; index += 1) {
      const sample = ((values[index] ?? 0) - intercept) / slope;
      const at = frame * pixels + index;
      if (!integer) samples[at] = sample;
      else if (Number.isFinite(sample)) samples[at] = Math.min(greatest, Math.max(least, Math.round(sample)));
      else {
        samples[at] = blank ?? least;
        notFinite += 1;
      }
    }
  });
  return { bytes: samples.buffer as ArrayBuffer, notFinite };
}
