import {
  codeItem, eachDataSet, itemsOf, numberOf, sequence, TAG, textElement, textOf, textsOf,
} from './dataElements.ts';
import type { Elements } from './dataElements.ts';
import { derivedFrameType, isEnhanced, markFrames } from './derivedFrames.ts';

/** What made the images, and under which identifiers. */
export interface Derivation {
  readonly model: { readonly name: string; readonly version: string };
  /** Application and version. */
  readonly software: string;
  readonly seriesInstance: string;
  readonly sopInstance: string;
  /** When; null leaves dates as they are, which de-identified images want. */
  readonly now: Date | null;
  /** One a frame of the file: whether it holds restored pixels. */
  readonly restored: readonly boolean[];
  /** The frames' numbers in the source file, from 1. */
  readonly sourceFrames: readonly number[];
  /** The file holds all of the source's frames. */
  readonly allFrames: boolean;
}

/**
 * Attributes that described the source's pixels or its file, and would now say what is not so: smallest and largest
 * pixel values, provider URL, histograms, icon, MAC parameters, and how its instance came about (creator, coercion,
 * origin status).
 */
const LEFTOVERS = [
  '00080014', '00080015', '00280106', '00280107', '00280108', '00280109', '00280110', '00280111',
  '00287FE0', '00603000', '00880200', '04000600', '4FFE0001',
];
/** In items too: digital signatures, original attributes (they tell how the source instance was altered). */
const NESTED_LEFTOVERS = ['FFFAFFFA', '04000561'];

/** Transfer syntaxes that can only be, or are meant to be, lossy → Lossy Image Compression Method (0028,2114). */
const LOSSY: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.4.50': 'ISO_10918_1', '1.2.840.10008.1.2.4.51': 'ISO_10918_1',
  '1.2.840.10008.1.2.4.53': 'ISO_10918_1', '1.2.840.10008.1.2.4.55': 'ISO_10918_1',
  '1.2.840.10008.1.2.4.81': 'ISO_14495_1', '1.2.840.10008.1.2.4.91': 'ISO_15444_1',
  '1.2.840.10008.1.2.4.93': 'ISO_15444_2', '1.2.840.10008.1.2.4.203': 'ISO_15444_15',
};
/** These may hold lossless streams too; a header that says "00" is then believed. */
const EITHER_WAY = new Set(['1.2.840.10008.1.2.4.91', '1.2.840.10008.1.2.4.93', '1.2.840.10008.1.2.4.203']);

const LARGEST_INTEGER_STRING = 2 ** 31 - 1;
const SUFFIX = ' – restored';
const LONG_STRING = 64;
const SHORT_TEXT = 1024;

const fitted = (text: string, characters: number): string => [...text].slice(0, characters).join('');

function removeLeftovers(elements: Elements): void {
  for (const tag of LEFTOVERS) delete elements[tag];
  eachDataSet(elements, (dataSet) => {
    for (const tag of NESTED_LEFTOVERS) delete dataSet[tag];
  });
  // Overlays in the unused bits of the pixel data are lost with it; those with data of their own stay.
  for (let group = 0x6000; group <= 0x601e; group += 2) {
    const prefix = group.toString(16);
    if (`${prefix}3000` in elements) continue;
    for (const tag of Object.keys(elements)) if (tag.startsWith(prefix)) delete elements[tag];
  }
}

/** Lossy once is lossy ever after: kept, or set where the source's transfer syntax says it (PS3.3, C.7.6.1.1.5). */
function keepLossiness(elements: Elements, transferSyntax: string): void {
  const method = LOSSY[transferSyntax];
  const declared = textOf(elements, '00282110').trim();
  if (!method || declared === '01' || (declared === '00' && EITHER_WAY.has(transferSyntax))) return;
  elements['00282110'] = textElement('CS', '01');
  if (textsOf(elements, '00282114').length === 0) elements['00282114'] = textElement('CS', method);
}

/** Image Type (0008,0008): DERIVED\SECONDARY, further values kept (AXIAL, M, …); see `derivedFrameType`. */
function setImageType(elements: Elements, restored: readonly boolean[]): void {
  const type = textsOf(elements, TAG.imageType);
  const values = isEnhanced(elements)
    ? derivedFrameType(type, restored.every(Boolean) ? 'DERIVED' : 'MIXED')
    : ['DERIVED', 'SECONDARY', ...type.slice(2)];
  elements[TAG.imageType] = textElement('CS', ...values);
}

/** The source's number · 1000 + 1, as series derived on workstations are commonly numbered; 1001 without one. */
function seriesNumber(elements: Elements): number {
  const source = numberOf(elements, TAG.seriesNumber) ?? 1;
  const derived = Math.trunc(source) * 1000 + 1;
  return Math.abs(derived) <= LARGEST_INTEGER_STRING ? derived : 1001;
}

/** Date (DA) and time (TM) in the zone that the data set declares (0008,0201), else in that of this computer. */
function stamp(elements: Elements, now: Date): { date: string; time: string } {
  const zone = /^([+-])(\d\d)(\d\d)$/.exec(textOf(elements, '00080201').trim());
  const declared = Number(`${zone?.[1] ?? '+'}1`) * (Number(zone?.[2]) * 60 + Number(zone?.[3]));
  const minutes = zone ? declared : -now.getTimezoneOffset();
  const [date = '', time = ''] = new Date(now.getTime() + minutes * 60_000).toISOString().split('T');
  return { date: date.replaceAll('-', ''), time: time.slice(0, 8).replaceAll(':', '') };
}

/**
 * Turns a source's data set into that of an image derived from it: new instance and series, DERIVED, what derived it
 * and from what; patient, study, frame of reference, geometry and acquisition stay, General Equipment too (its scanner
 * is what readers go by; this software is added to the Contributing Equipment Sequence). Pixel attributes are for
 * `setPixels`.
 *
 * @param transferSyntax of the source
 */
export function derive(elements: Elements, transferSyntax: string, derivation: Derivation): void {
  const { model, software, restored, sourceFrames, now } = derivation;
  const evidence: Elements = {
    [TAG.studyInstance]: textElement('UI', textOf(elements, TAG.studyInstance)),
    '00081115': sequence({
      [TAG.seriesInstance]: textElement('UI', textOf(elements, TAG.seriesInstance)),
      '00081199': sequence({
        '00081150': textElement('UI', textOf(elements, TAG.sopClass)),
        '00081155': textElement('UI', textOf(elements, TAG.sopInstance)),
      }),
    }),
  };
  const reference = {
    '00081150': textElement('UI', textOf(elements, TAG.sopClass)),
    '00081155': textElement('UI', textOf(elements, TAG.sopInstance)),
    '0040A170': sequence(codeItem('121322', 'DCM', 'Source image for image processing operation')),
  };
  const code = codeItem('RESTORED', '99RRWKV', 'Image restoration by a neural network');
  const network = `the neural network ${model.name} ${model.version} in ${software}; not for diagnosis`;
  const touched = restored.some(Boolean);
  const what = touched ? `Restored by ${network}` : `Not restored: the source's values, in a series restored by ${network}`;
  const described = textOf(elements, '00082111');

  removeLeftovers(elements);
  keepLossiness(elements, transferSyntax);
  setImageType(elements, restored);
  elements[TAG.sopInstance] = textElement('UI', derivation.sopInstance);
  elements[TAG.seriesInstance] = textElement('UI', derivation.seriesInstance);
  elements[TAG.seriesNumber] = textElement('IS', String(seriesNumber(elements)));
  const series = textOf(elements, TAG.seriesDescription).trim();
  elements[TAG.seriesDescription] = textElement(
    'LO', series === '' ? 'restored' : fitted(series, LONG_STRING - SUFFIX.length) + SUFFIX,
  );
  elements['00082111'] = textElement('ST', fitted(described ? `${what}; source: ${described}` : what, SHORT_TEXT));
  if (touched) elements['00089215'] = sequence(code);
  else delete elements['00089215'];
  // Referenced Frame Number is for references to some of the frames only (PS3.3, table 10-11).
  const frames = restored.every(Boolean) && derivation.allFrames ? []
    : sourceFrames.filter((_, index) => restored[index]);
  const listed = frames.join('\\');
  const known = textOf(reference, '00081155') !== '';
  if (known) {
    elements['00082112'] = sequence({
      ...reference, ...(listed && listed.length < 2 ** 16 ? { '00081160': textElement('IS', listed) } : {}),
    });
  } else {
    delete elements['00082112'];
  }
  if (isEnhanced(elements)) {
    // What Derivation Image groups refer to is listed once for the whole image (PS3.3, table C.17-3).
    if (known && TAG.perFrameGroups in elements) elements['00089154'] = sequence(evidence);
    markFrames(elements, restored, (frame) => ({
      '00082111': textElement('ST', fitted(what, SHORT_TEXT)),
      '00089215': sequence(code),
      ...(known ? {
        '00082112': sequence({ ...reference, '00081160': textElement('IS', String(sourceFrames[frame] ?? 1)) }),
      } : {}),
    }));
  }
  const contribution: Elements = {
    '00080070': textElement('LO', 'Restore-RWKV'),
    '00081090': textElement('LO', fitted(`${model.name} ${model.version}`, LONG_STRING)),
    '00181020': textElement('LO', fitted(software, LONG_STRING)),
    '0018A003': textElement('ST', fitted(what, SHORT_TEXT)),
    '0040A170': sequence(codeItem('109102', 'DCM', 'Processing Equipment')),
  };
  if (now) {
    const { date, time } = stamp(elements, now);
    contribution['0018A002'] = textElement('DT', date + time);
    elements['00080012'] = textElement('DA', date);
    elements['00080013'] = textElement('TM', time);
    elements['00080023'] = textElement('DA', date);
    elements['00080033'] = textElement('TM', time);
  }
  elements['0018A001'] = sequence(...itemsOf(elements, '0018A001'), contribution);
}
