import type { Elements } from './dataElements.ts';
import { TAG, textElement, textOf } from './dataElements.ts';
import { deidentify } from './deidentify.ts';
import type { Deidentification } from './deidentify.ts';
import { frameCount, keepFrames } from './derivedFrames.ts';
import { noticesOf } from './derivationNotices.ts';
import type { Findings } from './derivationNotices.ts';
import { planPixels, setPixels, settleEncodings } from './derivedPixels.ts';
import type { PixelElement, PixelPlan } from './derivedPixels.ts';
import { derive } from './dicomDerivation.ts';
import { parseDicomDataSet, text } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { countScale, petFacts } from './dicomSuv.ts';
import { plainText, refusing } from './guard.ts';
import { completeRequired } from './requiredAttributes.ts';
import { writableElements } from './writableElements.ts';
import { FormatError } from './volume.ts';
import type { DicomSource, NamedBytes, Units, Volume } from './volume.ts';

/** What the saved files say about themselves. */
export interface DicomSeriesOptions {
  readonly model: { readonly name: string; readonly version: string };
  /** Application and version, for example "restore-rwkv-browser 0.1.0". */
  readonly software: string;
  /** By the basic profile of PS3.15, listed in `PROFILE_SUMMARY`. */
  readonly deidentify: boolean;
  /** Slices that were restored; all, unless given. */
  readonly indices?: readonly number[];
  /** Also writes files of which no slice was restored, which then say so. */
  readonly everySlice?: boolean;
  /** Makes UIDs; `freshUid` unless given. */
  readonly uid?: () => string;
  readonly now?: Date;
}

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** Of this writer, made once as PS3.5, annex B.2 describes; the version name goes up when what it writes changes. */
const IMPLEMENTATION_CLASS = '2.25.43640244203782216377165117848246344375';
const IMPLEMENTATION_VERSION = 'RESTORE_RWKV_1';
const SOP_CLASSES: Readonly<Record<string, string>> = {
  CT: '1.2.840.10008.5.1.4.1.1.2', MR: '1.2.840.10008.5.1.4.1.1.4', PT: '1.2.840.10008.5.1.4.1.1.128',
};
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
/** Longest stretch of work before a worker may look at its messages. */
const BREATH_MS = 50;

/** A UID from a random UUID: "2.25." and its 128 bits as a decimal number (PS3.5, annex B.2). */
export function freshUid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `2.25.${bytes.reduce((total, byte) => total * 256n + BigInt(byte), 0n)}`;
}

/** The slices that came from one file: their places in the volume, in the file's order of frames. */
interface SourceGroup {
  readonly header: Uint8Array;
  readonly slices: readonly { readonly index: number; readonly frame: number }[];
}

/** A source file's data set on its way to being a derived one. */
interface Draft {
  readonly group: SourceGroup;
  readonly elements: Elements;
  readonly plan: PixelPlan;
  readonly allFrames: boolean;
  readonly transferSyntax: string;
}

/** Works through a list without keeping a worker from its messages for long. */
async function inTurns<Item, Result>(
  items: readonly Item[], work: (item: Item, place: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let since = performance.now();
  for (const [place, item] of items.entries()) {
    results.push(refusing('dicom', () => work(item, place)));
    if (performance.now() - since > BREATH_MS) {
      await new Promise((resolve) => { setTimeout(resolve); });
      since = performance.now();
    }
  }
  return results;
}

function groupsOf(sources: readonly DicomSource[]): SourceGroup[] {
  const groups = new Map<Uint8Array, { index: number; frame: number }[]>();
  sources.forEach(({ header, frame }, index) => {
    const slices = groups.get(header) ?? [];
    groups.set(header, slices);
    slices.push({ index, frame });
  });
  return [...groups].map(([header, slices]) => ({ header, slices: slices.sort((a, b) => a.frame - b.frame) }));
}

/** Burned In Annotation (0028,0301) says YES, or says nothing where captures and ultrasound often have some. */
function mayHaveText(elements: Elements): boolean {
  const declared = textOf(elements, '00280301').trim();
  const suspect = textOf(elements, TAG.sopClass).startsWith(SECONDARY_CAPTURE)
    || ['US', 'OT', 'SC', 'ES', 'XC'].includes(textOf(elements, TAG.modality).trim());
  return declared === 'YES' || (declared === '' && suspect);
}

/** File meta information (PS3.10, 7.1). */
function metaOf(elements: Elements): Elements {
  return {
    '00020001': { vr: 'OB', Value: [Uint8Array.of(0, 1).buffer] },
    '00020002': textElement('UI', textOf(elements, TAG.sopClass)),
    '00020003': textElement('UI', textOf(elements, TAG.sopInstance)),
    '00020010': textElement('UI', EXPLICIT_LITTLE_ENDIAN),
    '00020012': textElement('UI', IMPLEMENTATION_CLASS),
    '00020013': textElement('SH', IMPLEMENTATION_VERSION),
  };
}

/**
 * A written header followed by its pixel data, which is always the last element here. Not through dcmjs, which copies
 * what it writes several times over: for a multi-frame file that is gigabytes.
 */
function withPixels(header: Uint8Array, { tag, vr, samples }: PixelElement): Uint8Array {
  const padded = samples.byteLength + (samples.byteLength % 2);
  const bytes = new Uint8Array(header.length + 12 + padded);
  const view = new DataView(bytes.buffer, header.length);
  bytes.set(header);
  view.setUint16(0, parseInt(tag.slice(0, 4), 16), true);
  view.setUint16(2, parseInt(tag.slice(4), 16), true);
  bytes.set(new TextEncoder().encode(vr), header.length + 4);
  view.setUint32(8, padded, true);
  bytes.set(new Uint8Array(samples), header.length + 12);
  return bytes;
}

/** The units of a file's values; PET says it itself, where a private factor was applied in reading. */
function scaleOf(parsed: DicomDataSet, units: Units): { factor: number; units: Units } {
  if (text(parsed.dataSet, 'x00080060') !== 'PT') return { factor: 1, units };
  const scale = countScale(petFacts(parsed, text(parsed.dataSet, 'x00541001')));
  return scale.factor === 1 ? { factor: 1, units } : scale;
}

/** VR for an attribute that has to be added. */
function addedVr(vr: string | null): string {
  return vr === null || vr === 'ox' ? 'UN' : vr === 'xs' ? 'US' : vr;
}

/**
 * Writes a volume that was read from DICOM as a derived series: new instances of the source's SOP classes in one new
 * series of the same study and frame of reference, Explicit VR Little Endian, text in UTF-8. One file a source file, so
 * multi-frame stays multi-frame; of single-frame files, only the restored ones are written unless all are wanted. See `derive` for what the
 * headers say, `setPixels` for how values are stored, `deidentify` for what is taken out.
 *
 * @param volume native units (HU, Bq/mL, or raw), all slices, restored or not
 * @throws FormatError where the volume does not come from DICOM or a source header cannot be written again
 */
export async function writeDicomSeries(
  volume: Volume, options: DicomSeriesOptions,
): Promise<{ files: NamedBytes[]; notices: string[] }> {
  const { origin } = volume;
  if (origin.format !== 'dicom' || origin.slices.length !== volume.slices) {
    throw new FormatError('dicom: only images opened from DICOM can be saved as DICOM; save as NIfTI instead');
  }
  const { data: dcmjs } = await import('dcmjs');
  const entry = (tag: string): { vr: string; name: string } | null =>
    dcmjs.DicomMetaDictionary.dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`] ?? null;
  const vrOf = (tag: string): string | null => entry(tag)?.vr ?? null;
  const { uid = freshUid, now = new Date() } = options;
  const wanted = new Set(options.indices ?? origin.slices.keys());
  const groups = groupsOf(origin.slices)
    .filter(({ slices }) => options.everySlice || slices.some(({ index }) => wanted.has(index)));
  const digits = Math.max(4, String(groups.length).length);
  const seriesInstance = uid();
  const studyInstance = uid();
  const profile: Deidentification = { uids: new Map(), uid, known: (tag) => entry(tag) !== null };
  const found: Findings = { reports: [], missing: new Set(), untouchedFrames: 0, burnedIn: false, pet: false };
  const pixels = volume.rows * volume.columns;
  const framesOf = ({ slices }: SourceGroup): Float32Array[] =>
    slices.map(({ index }) => volume.data.subarray(index * pixels, (index + 1) * pixels));

  const draft = (group: SourceGroup): Draft => {
    const parsed = parseDicomDataSet(group.header);
    const elements = writableElements(parsed, vrOf);
    found.burnedIn ||= mayHaveText(elements);
    found.pet ||= textOf(elements, TAG.modality).trim() === 'PT';
    if (options.deidentify) deidentify(elements, profile);
    const allFrames = frameCount(elements) === group.slices.length;
    keepFrames(elements, group.slices.map(({ frame }) => frame));
    const plan = planPixels(elements, framesOf(group), scaleOf(parsed, volume.units));
    return { group, elements, plan, allFrames, transferSyntax: parsed.syntax.uid };
  };

  const finish = ({ group, elements, plan, allFrames, transferSyntax }: Draft, place: number): NamedBytes => {
    const restored = group.slices.map(({ index }) => wanted.has(index));
    if (restored.length > 1) found.untouchedFrames += restored.filter((one) => !one).length;
    elements[TAG.characterSet] = textElement('CS', 'ISO_IR 192');
    // Sources without SOP class or study are not DICOM in earnest; what these have to be follows from the image.
    if (textOf(elements, TAG.sopClass) === '') {
      elements[TAG.sopClass] =
        textElement('UI', SOP_CLASSES[textOf(elements, TAG.modality).trim()] ?? SECONDARY_CAPTURE);
    }
    if (textOf(elements, TAG.studyInstance) === '') elements[TAG.studyInstance] = textElement('UI', studyInstance);
    if (textOf(elements, TAG.instanceNumber).trim() === '') {
      elements[TAG.instanceNumber] = textElement('IS', String(place + 1));
    }
    derive(elements, transferSyntax, {
      model: options.model, software: options.software, seriesInstance, sopInstance: uid(),
      now: options.deidentify ? null : now,
      restored, sourceFrames: group.slices.map(({ frame }) => frame + 1), allFrames,
    });
    const { element, report } = setPixels(elements, framesOf(group), plan, encodings[place]);
    found.reports.push(report);
    for (const tag of completeRequired(elements, (missing) => addedVr(vrOf(missing)))) found.missing.add(tag);
    const file = new dcmjs.DicomDict(metaOf(elements));
    file.dict = elements;
    // Values that are too long for their representation are the source's own, and stay.
    const bytes = withPixels(new Uint8Array(file.write({ allowInvalidVRLength: true })), element);
    return { name: `restored-${String(place + 1).padStart(digits, '0')}.dcm`, bytes };
  };

  const drafts = await inTurns(groups, draft);
  const encodings = settleEncodings(drafts.map(({ plan }) => plan));
  const files = await inTurns(drafts, finish);
  const nameOf = (tag: string): string =>
    plainText((entry(tag)?.name ?? tag).replace(/([a-z])([A-Z])/g, '$1 $2'));
  return { files, notices: noticesOf(found, options.deidentify, nameOf) };
}
