import { codeItem, itemsOf, sequence, textElement, textOf } from './dataElements.ts';
import type { Element, Elements } from './dataElements.ts';
import { BASIC_PROFILE } from './deidentificationProfile.ts';
import type { ProfileAction } from './deidentificationProfile.ts';
import { requiredTypes } from './requiredAttributes.ts';
import type { RequiredType } from './requiredAttributes.ts';

/** One export: what its UIDs become, and the source of new ones. */
export interface Deidentification {
  /** Old UID → new one; grows as files are worked on, so that equal stays equal between them. */
  readonly uids: Map<string, string>;
  readonly uid: () => string;
  /** Whether PS3.6 knows the tag. */
  readonly known: (tag: string) => boolean;
}

/** SOP classes, transfer syntaxes and well-known frames of reference identify nobody. */
const STANDARD_UID = '1.2.840.10008.';

/** Dummy values (action D) that their representation allows and that cannot be taken for real ones. */
const DUMMIES: Readonly<Record<string, string>> = {
  AE: 'REMOVED', CS: 'REMOVED', LO: 'REMOVED', LT: 'REMOVED', PN: 'REMOVED', SH: 'REMOVED', ST: 'REMOVED',
  UC: 'REMOVED', UT: 'REMOVED', UR: 'urn:removed', AS: '000Y', DA: '19000101', TM: '000000', DT: '19000101000000',
  DS: '0', IS: '0',
};
const BINARY = new Set(['OB', 'OD', 'OF', 'OW', 'UN']);

function dummy({ vr }: Element, uid: () => string): Element {
  if (vr === 'UI') return textElement(vr, uid());
  if (vr === 'SQ') return sequence();
  if (BINARY.has(vr)) return { vr, Value: [new ArrayBuffer(8)] };
  return DUMMIES[vr] === undefined ? { vr, Value: [0] } : textElement(vr, DUMMIES[vr]);
}

function replaced(uid: string, { uids, uid: fresh }: Deidentification): string {
  const bare = uid.trim();
  if (bare === '' || bare.startsWith(STANDARD_UID)) return bare;
  const known = uids.get(bare) ?? fresh();
  uids.set(bare, known);
  return known;
}

/**
 * Private, repeating (curves 50xx; overlays 60xx, which mean nothing without the data and comments that are to go), or
 * unknown to the dictionary, and so to the profile.
 */
function unlisted(tag: string, known: (tag: string) => boolean): boolean {
  const group = parseInt(tag.slice(0, 4), 16);
  return group % 2 === 1 || (group >= 0x5000 && group <= 0x50ff) || (group >= 0x6000 && group <= 0x60ff) || !known(tag);
}

/** A compound action comes down to the first letter that the attribute's type allows. */
function settled(action: ProfileAction, type: RequiredType | null): 'D' | 'Z' | 'X' | 'U' | 'recurse' {
  switch (action) {
    case 'Z/D': return type === 1 ? 'D' : 'Z';
    case 'X/Z': return type === null ? 'X' : 'Z';
    case 'X/D': return type === 1 ? 'D' : 'X';
    case 'X/Z/D': return type === 1 ? 'D' : type === 2 ? 'Z' : 'X';
    case 'X/Z/U*': return 'recurse';
    default: return action;
  }
}

function clean(elements: Elements, types: ReadonlyMap<string, RequiredType>, export_: Deidentification): void {
  for (const tag of Object.keys(elements)) {
    const element = elements[tag];
    if (!element) continue;
    // What could not be parsed cannot be searched.
    if (unlisted(tag, export_.known) || element.vr === 'UN') {
      delete elements[tag];
      continue;
    }
    const action = BASIC_PROFILE.get(tag);
    const step = action ? settled(action, types.get(tag) ?? null) : 'recurse';
    if (step === 'X') delete elements[tag];
    else if (step === 'Z') elements[tag] = { vr: element.vr, Value: [] };
    else if (step === 'D') elements[tag] = dummy(element, export_.uid);
    else if (step === 'U' && element.vr === 'UI') {
      elements[tag] = textElement('UI', ...textOf(elements, tag).split('\\').map((uid) => replaced(uid, export_)));
    } else if (step === 'U') delete elements[tag];
    else for (const item of itemsOf(elements, tag)) clean(item, new Map(), export_);
  }
}

/**
 * De-identifies a data set in place by the Basic Application Level Confidentiality Profile (PS3.15, annex E), in its
 * sequences too, and says so (0012,0062–0064; 0028,0303). Compound actions go by the types of the image's IOD; within
 * items, whose attributes' types depend on where they are, the attribute is removed where that is among the choices.
 * Pixels are not looked at.
 */
export function deidentify(elements: Elements, export_: Deidentification): void {
  clean(elements, requiredTypes(elements), export_);
  elements['00120062'] = textElement('CS', 'YES');
  elements['00120063'] = textElement('LO', 'DICOM PS3.15 Basic Profile, edition 2024b');
  elements['00120064'] = sequence(codeItem('113100', 'DCM', 'Basic Application Confidentiality Profile'));
  elements['00280303'] = textElement('CS', 'REMOVED');
}
