import { TAG, textOf, textsOf } from './dataElements.ts';
import type { Elements } from './dataElements.ts';
import { isEnhanced } from './derivedFrames.ts';

/** 1: must be there with a value; 2: must be there, may be empty (PS3.5, 7.4). */
export type RequiredType = 1 | 2;

interface Required {
  readonly type1: string;
  readonly type2: string;
}

/** Patient, General Study, General Series, General Equipment, General Image, Image Pixel and SOP Common modules. */
const EVERY_IMAGE: Required = {
  type1: '00080016 00080018 00080060 0020000D 0020000E 00280002 00280004 00280010 00280011 00280100',
  type2: '00080020 00080030 00080050 00080070 00080090 00100010 00100020 00100030 00100040 00200010 00200011 00200013',
};

/** Frame of Reference and Image Plane modules, and what all three image modules ask for. */
const SLICE: Required = {
  type1: '00080008 00200032 00200037 00200052 00280030 00280101 00280102 00280103',
  type2: '00180050 00201040',
};

/** The modules of their own that PS3.3 gives the CT (A.3), MR (A.4) and PET (A.21) Image IODs. */
const IODS: Readonly<Record<string, Required>> = {
  '1.2.840.10008.5.1.4.1.1.2': { type1: '00281052 00281053', type2: '00180060 00200012' },
  '1.2.840.10008.5.1.4.1.1.4': { type1: '00180020 00180021', type2: '00180022 00180023 00180081 00180091' },
  '1.2.840.10008.5.1.4.1.1.128': {
    type1: '00080021 00080031 00281052 00281053 00540081 00541000 00541001 00541002 00541102 00541300 00541330',
    type2: '00080022 00080032 00181181 00181242 00280051 00540016',
  },
};
const MR_IMAGE = '1.2.840.10008.5.1.4.1.1.4';
const PET_IMAGE = '1.2.840.10008.5.1.4.1.1.128';

/** Multi-frame Functional Groups, Enhanced General Equipment and Acquisition Context modules. */
const ENHANCED: Required = { type1: '00080023 00080033 00080070 00081090 00181000 00181020', type2: '00400555' };

const listOf = (tags: string): string[] => tags.split(' ').filter(Boolean);

/** Attributes of type 2C, where their condition holds. */
function conditional(elements: Elements, sopClass: string): string[] {
  const tags: string[] = [];
  // Where no Patient Orientation Code Sequence says it: Patient Position.
  if (sopClass in IODS && sopClass !== PET_IMAGE && !('00540410' in elements)) tags.push('00185100');
  if (sopClass === MR_IMAGE) {
    const scanning = textsOf(elements, '00180020').map((value) => value.trim());
    const segmented = textsOf(elements, '00180021').some((value) => value.trim() === 'SK');
    if (!scanning.includes('EP') || segmented) tags.push('00180080');
    if (scanning.includes('IR')) tags.push('00180082');
  }
  return tags;
}

/** What the IOD of a data set's SOP class requires at its top level; for other classes, what all images share. */
export function requiredTypes(elements: Elements): Map<string, RequiredType> {
  const sopClass = textOf(elements, TAG.sopClass);
  const modules = [EVERY_IMAGE, ...(IODS[sopClass] ? [SLICE, IODS[sopClass]] : [])];
  if (isEnhanced(elements)) modules.push(ENHANCED);
  const types = new Map<string, RequiredType>();
  for (const { type1, type2 } of modules) {
    for (const tag of listOf(type2)) types.set(tag, 2);
    for (const tag of listOf(type1)) types.set(tag, 1);
  }
  for (const tag of conditional(elements, sopClass)) types.set(tag, 2);
  return types;
}

/**
 * Adds attributes of type 2 that are missing, empty.
 *
 * @returns the tags of type 1 that are missing or empty, which nothing but the source could have filled
 */
export function completeRequired(elements: Elements, vrOf: (tag: string) => string): string[] {
  const missing: string[] = [];
  for (const [tag, type] of requiredTypes(elements)) {
    const empty = !elements[tag] || elements[tag].Value.length === 0 || elements[tag].Value[0] === '';
    if (type === 2 && !elements[tag]) elements[tag] = { vr: vrOf(tag), Value: [] };
    if (type === 1 && empty) missing.push(tag);
  }
  return missing;
}
