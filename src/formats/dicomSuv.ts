import { decimal, text, texts } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { firstItem } from './dicomElements.ts';
import { secondsOf, secondsOfDateTime, secondsOfDay } from './dicomTime.ts';
import type { SuvScale } from './volume.ts';

/** What a PET image says about its activity (PS3.3, C.8.9.1 and C.8.9.2); null and NaN where it does not. */
export interface PetFacts {
  /** BQML, CNTS, GML, … */
  readonly units: string; // (0054,1001), enhanced: (0028,1054)
  readonly correctedImage: readonly string[]; // (0028,0051)
  readonly decayCorrection: string; // (0054,1102)
  /** Weight, kg. */
  readonly weight: number | null; // (0010,1030)
  /** Radionuclide total dose, Bq. */
  readonly dose: number | null; // (0018,1074)
  /** Radionuclide half life, s. */
  readonly halfLife: number | null; // (0018,1075)
  /** Radiopharmaceutical start date and time, s. */
  readonly injectedAt: number; // (0018,1078)
  /** Radiopharmaceutical start time, seconds of the day. */
  readonly injectedAtTime: number; // (0018,1072)
  readonly seriesAt: number; // (0008,0021), (0008,0031)
  readonly acquiredAt: number; // (0008,0022), (0008,0032)
  /** GE's own scan date and time. */
  readonly scannedAt: number; // (0009,100d) of GEMS_PETD_01
  /** Decay correction date and time of enhanced PET. */
  readonly correctedTo: number; // (0018,9701)
  /** Philips: CNTS → SUV by body weight. */
  readonly suvPerCount: number; // (7053,1000)
  /** Philips: CNTS → Bq/mL. */
  readonly activityPerCount: number; // (7053,1009)
}

const DAY = 86400;
/** Doses are hundreds of MBq; below 10 kBq the number was not written in Bq. */
const LEAST_DOSE = 1e4;
/** Slices whose factors differ by less (a second of F-18 decay is 1e-4) share one. */
const SAME_FACTOR = 1e-3;

const positive = (value: number | null): number | null => (value !== null && value > 0 ? value : null);

/** @param units the unit of the values: (0054,1001), or an enhanced image's rescale type */
export function petFacts({ elements, dataSet }: DicomDataSet, units: string): PetFacts {
  const tracer = firstItem(elements, 'x00540016')?.dataSet ?? null;
  const zone = text(dataSet, 'x00080201');
  const from = (set: typeof tracer, tag: string): string => (set ? text(set, tag) : '');
  const philips = /philips/i.test(text(dataSet, 'x70530010'));
  const acquisition = text(dataSet, 'x0008002a');
  return {
    units,
    correctedImage: texts(dataSet, 'x00280051'),
    decayCorrection: text(dataSet, 'x00541102'),
    weight: positive(decimal(dataSet, 'x00101030', null)),
    dose: tracer && positive(decimal(tracer, 'x00181074', null)),
    halfLife: tracer && positive(decimal(tracer, 'x00181075', null)),
    injectedAt: secondsOfDateTime(from(tracer, 'x00181078'), zone),
    injectedAtTime: secondsOfDay(from(tracer, 'x00181072')),
    seriesAt: secondsOf(text(dataSet, 'x00080021'), text(dataSet, 'x00080031')),
    acquiredAt: acquisition ? secondsOfDateTime(acquisition, zone)
      : secondsOf(text(dataSet, 'x00080022'), text(dataSet, 'x00080032')),
    scannedAt: /GEMS_PETD_01/.test(text(dataSet, 'x00090010'))
      ? secondsOfDateTime(text(dataSet, 'x0009100d'), zone) : Number.NaN,
    correctedTo: secondsOfDateTime(text(dataSet, 'x00189701'), zone),
    suvPerCount: philips ? decimal(dataSet, 'x70531000', 0) : 0,
    activityPerCount: philips ? decimal(dataSet, 'x70531009', 0) : 0,
  };
}

const unknown = (reason: string): SuvScale =>
  ({ factor: null, sentence: `SUV cannot be computed: ${reason}.` });

/** What is missing for the formula, or null. */
function missing({ weight, dose, halfLife, injectedAt, injectedAtTime }: PetFacts): string | null {
  if (weight === null) return 'the headers do not give the patient\'s weight (0010,1030)';
  if (dose === null) return 'the headers do not give the injected dose (0018,1074)';
  if (dose < LEAST_DOSE) {
    return `the injected dose (0018,1074) is ${dose} Bq, which is too little for a scan; ` +
      'it may have been written in MBq';
  }
  if (halfLife === null) return 'the headers do not give the radionuclide\'s half life (0018,1075)';
  if (Number.isNaN(injectedAt) && Number.isNaN(injectedAtTime)) {
    return 'the headers do not give the time of injection (0018,1078 or 0018,1072)';
  }
  return null;
}

/**
 * Seconds from injection to a time. A start time without a date lies on the day of the scan or, where that would be
 * after it, on the day before; so does a start whose date contradicts the scan's (dates shifted by anonymisers).
 */
function elapsed({ injectedAt, injectedAtTime }: PetFacts, at: number): number {
  if (at - injectedAt >= 0) return at - injectedAt;
  const timeOfDay = Number.isNaN(injectedAtTime) ? injectedAt % DAY : injectedAtTime;
  return ((at % DAY) - timeOfDay + DAY) % DAY;
}

/** The time that every slice's values are decay-corrected to, where there is one. */
function referenceTime(slices: readonly PetFacts[], first: PetFacts): number {
  if (!Number.isNaN(first.correctedTo)) return first.correctedTo;
  const earliest = slices.reduce((least, { acquiredAt }) => (acquiredAt < least ? acquiredAt : least),
    Number.POSITIVE_INFINITY);
  // A series time after the first acquisition is that of a later reconstruction and says nothing about decay.
  if (first.seriesAt <= earliest) return first.seriesAt;
  if (!Number.isNaN(first.scannedAt)) return first.scannedAt;
  return Number.isFinite(earliest) ? earliest : Number.NaN;
}

const grams = (facts: PetFacts): number => (facts.weight ?? 0) * 1000;

/** Weight over the dose that is left after `seconds`: SUV per Bq/mL, for tissue of 1 g/mL. */
function factorAfter(facts: PetFacts, seconds: number): number {
  return grams(facts) / ((facts.dose ?? 0) * 2 ** (-seconds / (facts.halfLife ?? 1)));
}

function described(facts: PetFacts, factor: number, decay: string): SuvScale {
  if (!(Number.isFinite(factor) && factor > 0)) {
    return unknown('the times, dose and weight of the headers contradict each other');
  }
  const dose = Number(((facts.dose ?? 0) / 1e6).toPrecision(4));
  return { factor, sentence: `SUV by body weight: ${facts.weight} kg, ${dose} MBq injected, ${decay}.` };
}

function minutes(seconds: number): string {
  return `${Number((seconds / 60).toPrecision(3))} min`;
}

/** Bq/mL → SUV by body weight, by the slices' decay correction. */
function bodyWeightScale(slices: readonly PetFacts[], first: PetFacts): SuvScale {
  const lacking = missing(first);
  if (lacking) return unknown(lacking);
  if (slices.some(({ weight, dose, halfLife, decayCorrection }) => weight !== first.weight || dose !== first.dose
    || halfLife !== first.halfLife || decayCorrection !== first.decayCorrection)) {
    return unknown('the slices\' headers differ in weight, dose, half life or decay correction');
  }
  const corrections = first.correctedImage.filter(Boolean);
  if (corrections.length > 0 && !corrections.includes('ATTN')) {
    return unknown('the image is not corrected for attenuation (0028,0051)');
  }
  switch (first.decayCorrection || (Number.isNaN(first.correctedTo) ? '' : 'START')) {
    case 'ADMIN':
      return described(first, grams(first) / (first.dose ?? 0), 'values decay-corrected to the injection');
    case 'START': {
      const seconds = elapsed(first, referenceTime(slices, first));
      if (Number.isNaN(seconds)) return unknown('the headers do not give the time of the scan');
      return described(first, factorAfter(first, seconds), `decayed for ${minutes(seconds)} until the scan`);
    }
    case 'NONE': {
      const factors = slices.map((facts) => factorAfter(facts, elapsed(facts, facts.acquiredAt)));
      if (factors.some(Number.isNaN)) return unknown('the headers do not give the time of the scan');
      const [least, most] = factors.reduce(([low, high], factor) =>
        [Math.min(low, factor), Math.max(high, factor)], [Number.POSITIVE_INFINITY, 0]);
      if (most - least > SAME_FACTOR * least) {
        return unknown('the values are not decay-corrected and the slices were acquired at different times');
      }
      return described(first, least, `decayed for ${minutes(elapsed(first, first.acquiredAt))} until the scan`);
    }
    default:
      return unknown('the headers do not say what time the values are decay-corrected to (0054,1102)');
  }
}

/**
 * The factor from Bq/mL to SUV by body weight, weight (g) / injected dose (Bq) decayed to the time that the values are
 * corrected to; rules after the vendor-neutral pseudo-code of the QIBA FDG-PET/CT profile (RSNA), for series that are
 * attenuation-corrected.
 *
 * @param slices facts of every slice of the volume
 */
export function suvScale(slices: readonly PetFacts[]): SuvScale | null {
  const [first] = slices;
  if (!first) return null;
  if (slices.some(({ units }) => units !== first.units)) return unknown('the slices are in different units');
  switch (first.units) {
    case 'BQML':
      return bodyWeightScale(slices, first);
    case 'GML':
      return { factor: null, sentence: 'The values are SUV as they stand in the files.' };
    case 'CNTS':
      return philipsScale(slices, first);
    case '':
      return unknown('the headers do not give the unit of the values (0054,1001)');
    default:
      return unknown(`the values are in the unit ${first.units}, expected BQML`);
  }
}

/** Counts with Philips' factors: `countScale` has made them Bq/mL or SUV. */
function philipsScale(slices: readonly PetFacts[], first: PetFacts): SuvScale {
  if (slices.some(({ suvPerCount, activityPerCount }) =>
    suvPerCount !== first.suvPerCount || activityPerCount !== first.activityPerCount)) {
    return unknown('the slices\' own factors from counts to SUV differ');
  }
  const { suvPerCount, activityPerCount } = first;
  if (activityPerCount > 0 && suvPerCount > 0) {
    return { factor: suvPerCount / activityPerCount, sentence: 'SUV by body weight, by the scanner\'s own factor.' };
  }
  if (activityPerCount > 0) return bodyWeightScale(slices, first);
  if (suvPerCount > 0) return { factor: null, sentence: 'The values are SUV by the scanner\'s factor from counts.' };
  return unknown('the values are counts (CNTS) without a factor to Bq/mL');
}

/** What Philips' counts are multiplied by, and what they are then; factor 1 for anything else. */
export function countScale({ units, suvPerCount, activityPerCount }: PetFacts): {
  readonly factor: number; readonly units: 'Bq/mL' | 'SUV' | 'raw';
} {
  if (units === 'BQML') return { factor: 1, units: 'Bq/mL' };
  if (units === 'GML') return { factor: 1, units: 'SUV' };
  if (units === 'CNTS' && activityPerCount > 0) return { factor: activityPerCount, units: 'Bq/mL' };
  if (units === 'CNTS' && suvPerCount > 0) return { factor: suvPerCount, units: 'SUV' };
  return { factor: 1, units: 'raw' };
}
