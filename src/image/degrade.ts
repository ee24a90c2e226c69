import type { Modality, Volume } from '../formats/volume.ts';
import { CT_DEFAULTS, degradeCt } from './degradeCt.ts';
import { brightestSignal, degradeMri } from './degradeMri.ts';
import { PET_DEFAULTS, degradePet } from './degradePet.ts';
import { isPicture, PAPER_RANGE } from './normalise.ts';
import { seededRandom } from './random.ts';
import type { Slice } from './slice.ts';

export interface DegradeOptions {
  /** CT: dose fraction 0.05–0.5. PET: dose reduction factor 2–20. MRI: factor 2 or 4 along each axis. */
  readonly strength: number;
  /** The same seed gives the same noise; give slices of a volume different ones. MRI without `noise` has none. */
  readonly seed: number;
  /** mm between columns; CT noise depends on it. Without it a field of view of 360 mm is assumed. */
  readonly pixelSpacing?: number;
  /** The values are in [0, 1] (PNG) and not in HU: CT takes 0 … 1 for the paper's −1024 … 3072 HU and back. */
  readonly unitInterval?: boolean;
  /** CT: photons per detector bin and angle at full dose (8e5). Fewer for a noisier scanner or protocol. */
  readonly photons?: number;
  /** PET: coincidences of the slice at full dose (4e5). */
  readonly counts?: number;
  /** MRI: standard deviation of the noise's real and imaginary parts as a share of `brightest`, 0 to 1; 0 if left out. */
  readonly noise?: number;
  /**
   * MRI: the signal that `noise` is a share of. Give all slices of a volume the volume's own, `brightestSignal(data)`:
   * a receiver's noise is the same in all of them. Without it the slice's own is taken.
   */
  readonly brightest?: number;
}

/** A simulated degradation, but for its seed. */
export interface Degradation {
  readonly strength: number;
  /** MRI, see `DegradeOptions`; 0: none, as always for the other tasks. */
  readonly noise: number;
}

export interface StrengthScale {
  readonly name: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
  /** What the paper and the shipped model take. */
  readonly standard: number;
  /** The only values that are allowed; null where the whole range is. */
  readonly values: readonly number[] | null;
}

/** What `strength` means for each task, for sliders and for the command line. */
export const STRENGTH: { readonly [M in Modality]: StrengthScale } = {
  ct: { name: 'Dose fraction', minimum: 0.05, maximum: 0.5, step: 0.05, standard: 0.25, values: null },
  pet: { name: 'Dose reduction factor', minimum: 2, maximum: 20, step: 1, standard: 12, values: null },
  mri: { name: 'Resolution divided by', minimum: 2, maximum: 4, step: 2, standard: 4, values: [2, 4] },
};

/** MRI's optional noise for sliders: a share of the brightest signal. A tenth drowns all but the brightest tissue. */
export const NOISE_SCALE = { name: 'Noise, share of signal', minimum: 0, maximum: 0.1, step: 0.01 } as const;

/** What the paper and the shipped models take. */
export const standardDegradation = (task: Modality): Degradation => ({ strength: STRENGTH[task].standard, noise: 0 });

const ASSUMED_FIELD_OF_VIEW = 360;

/** Pixels; time grows with the square of the longest edge or more, and at this one it is up to a minute. */
const LONGEST_EDGE = 2048;

/**
 * Simulates a task's low-quality input from a reference in native units: CT in HU at a share of the dose, PET (any
 * linear units) at a share of the counts, MRI (any units) from the centre of k-space, with noise where asked for.
 * Non-finite voxels: see the three functions.
 *
 * @throws RangeError where the strength is not one of the task's, MRI's noise is not a share, or the slice is too large
 */
export function degrade(slice: Slice, task: Modality, options: DegradeOptions): Slice {
  const { strength, seed } = options;
  checkStrength(task, strength);
  checkSize(slice);
  const random = seededRandom(seed);
  if (task === 'mri') {
    const share = options.noise ?? 0;
    checkNoise(share);
    const sigma = share && share * (options.brightest ?? brightestSignal(slice.data));
    return degradeMri(slice, { factor: strength === 2 ? 2 : 4 }, sigma > 0 ? { sigma, random } : null);
  }
  if (task === 'pet') {
    return degradePet(slice, { ...PET_DEFAULTS, drf: strength, counts: options.counts ?? PET_DEFAULTS.counts }, random);
  }
  const pixelSpacing = options.pixelSpacing ?? ASSUMED_FIELD_OF_VIEW / Math.max(slice.width, slice.height);
  const photons = options.photons ?? CT_DEFAULTS.photons;
  const degradation = { ...CT_DEFAULTS, dose: strength, pixelSpacing, photons };
  if (!options.unitInterval) return degradeCt(slice, degradation, random);
  const [low, high] = PAPER_RANGE.ct;
  const hu = { ...slice, data: slice.data.map((value) => low + value * (high - low)) };
  const noisy = degradeCt(hu, degradation, random);
  return { ...noisy, data: noisy.data.map((value) => (value - low) / (high - low)) };
}

/** What a volume says of itself, for `degrade` with any of its slices; `noise` is MRI's. */
export function optionsFor(volume: Volume, noise = 0): Omit<DegradeOptions, 'strength' | 'seed'> {
  return {
    pixelSpacing: volume.spacing?.x,
    unitInterval: isPicture(volume),
    noise,
    brightest: noise > 0 ? brightestSignal(volume.data) : undefined,
  };
}

/** The degradation in words, for the page and for file headers. */
export function degradationSentence(task: Modality, strength: number, noise = 0): string {
  if (task === 'ct') return `${percent(strength)} % of the dose, simulated in the projections`;
  if (task === 'pet') return `1/${strength} of the counts, reconstructed by OSEM`;
  const kept = `${100 / strength} % of k-space along each axis`;
  return noise > 0 ? `${kept}, with noise of ${percent(noise)} % of the brightest signal` : kept;
}

/** @throws RangeError where the strength is not one of the task's */
export function checkStrength(task: Modality, strength: number): void {
  const { name, minimum, maximum, values } = STRENGTH[task];
  const allowed = values === null ? strength >= minimum && strength <= maximum : values.includes(strength);
  if (allowed) return;
  const expected = values === null ? `${minimum} to ${maximum}` : values.join(' or ');
  throw new RangeError(`degrade: ${name.toLowerCase()} ${strength} is not simulated for ${task}; choose ${expected}`);
}

function checkSize({ width, height }: Slice): void {
  if (Math.max(width, height) <= LONGEST_EDGE) return;
  throw new RangeError(
    `degrade: a slice of ${width} × ${height} is too large to simulate; crop or shrink it to ${LONGEST_EDGE} × ${LONGEST_EDGE}`,
  );
}

/** @throws RangeError where MRI's noise is not a share of the signal */
export function checkNoise(noise: number): void {
  if (noise >= 0 && noise <= 1) return;
  throw new RangeError(`degrade: noise ${noise} is not a share of the brightest signal; choose 0 to 1, for instance 0.02`);
}

const percent = (share: number) => Number((share * 100).toPrecision(3));
