import { itemsOf, numberOf, sequence, TAG, textElement, textOf, textsOf } from './dataElements.ts';
import type { Elements } from './dataElements.ts';

const FRAME_INCREMENT_POINTER = '00280009';
const REPRESENTATIVE_FRAME = '00286010';
const FRAME_TYPE = '00089007';
/** Sequences of functional groups that hold a Frame Type: CT, MR, PET, X-ray 3D, parametric map, MR spectroscopy. */
const FRAME_TYPE_SEQUENCES = ['00189329', '00189226', '00189751', '00189504', '00409092', '00189227'];
const DERIVATION_IMAGE = '00089124';

/** Enhanced CT, MR, MR colour and PET, and the classic ones converted to them (PS3.4, B.5). */
const ENHANCED_CLASSES = new Set(
  ['2.1', '2.2', '4.1', '4.3', '4.4', '128.1', '130'].map((end) => `1.2.840.10008.5.1.4.1.1.${end}`),
);

/** Whether the image is one of functional groups, with the stricter rules of PS3.3, C.8.16.1 for its type. */
export const isEnhanced = (elements: Elements): boolean =>
  TAG.perFrameGroups in elements || TAG.sharedGroups in elements
  || ENHANCED_CLASSES.has(textOf(elements, TAG.sopClass));

/** Number of Frames (0028,0008), at least 1. */
export const frameCount = (elements: Elements): number =>
  Math.max(1, Math.floor(numberOf(elements, TAG.numberOfFrames) ?? 1));

const picked = <Item>(all: readonly Item[], kept: readonly number[]): Item[] => {
  const wanted = new Set(kept);
  return all.filter((_, index) => wanted.has(index));
};

/**
 * Leaves only some frames in a multi-frame header: their functional groups, and their entries of the vectors that Frame
 * Increment Pointer (0028,0009) names.
 *
 * @param kept frames to keep, from 0, ascending
 */
export function keepFrames(elements: Elements, kept: readonly number[]): void {
  const total = frameCount(elements);
  if (kept.length === total) return;
  const groups = itemsOf(elements, TAG.perFrameGroups);
  if (groups.length > 0) {
    elements[TAG.perFrameGroups] = sequence(...picked(groups, kept));
  }
  for (const pointer of elements[FRAME_INCREMENT_POINTER]?.Value ?? []) {
    const tag = typeof pointer === 'number' ? pointer.toString(16).toUpperCase().padStart(8, '0') : '';
    const vector = elements[tag];
    if (!vector) continue;
    const texts = textsOf(elements, tag);
    if (texts.length === total) {
      elements[tag] = textElement(vector.vr, ...kept.map((frame) => texts[frame] ?? ''));
    } else if (vector.Value.length === total && total > 1) {
      elements[tag] = { vr: vector.vr, Value: picked(vector.Value, kept) };
    }
  }
  delete elements[REPRESENTATIVE_FRAME];
  elements[TAG.numberOfFrames] = textElement('IS', String(kept.length));
}

/**
 * Image Type or Frame Type of a derived image with functional groups (PS3.3, C.8.16.1): value 2 can only be PRIMARY
 * there, value 3 stays, and a value 4 of NONE, which derived pixels may not have, becomes FILTERED. Segmentations have
 * two values and keep to that.
 */
export function derivedFrameType(type: readonly string[], first: 'DERIVED' | 'MIXED'): string[] {
  if (type.length === 2) return [first, 'PRIMARY'];
  const [, , flavour = 'VOLUME', contrast = 'NONE', ...rest] = type;
  return [first, 'PRIMARY', flavour, contrast === 'NONE' || contrast === '' ? 'FILTERED' : contrast, ...rest];
}

/**
 * Marks frames of an image with functional groups as derived: Frame Type, and a Derivation Image group that names the
 * source frame. Groups that were shared and now differ between frames become each frame's own.
 *
 * @param restored one a frame
 * @param derivationOf item of the Derivation Image Sequence (0008,9124) for a frame
 */
export function markFrames(
  elements: Elements, restored: readonly boolean[], derivationOf: (frame: number) => Elements,
): void {
  const shared = itemsOf(elements, TAG.sharedGroups)[0];
  const perFrame = itemsOf(elements, TAG.perFrameGroups);
  const all = restored.every(Boolean);
  for (const tag of FRAME_TYPE_SEQUENCES) {
    if (shared && tag in shared && !all) {
      for (const group of perFrame) group[tag] = sequence(...itemsOf(shared, tag).map((item) => ({ ...item })));
      delete shared[tag];
    }
    const changed = [...(shared && tag in shared ? [shared] : []), ...perFrame.filter((_, frame) => restored[frame])];
    for (const item of changed.flatMap((group) => itemsOf(group, tag))) {
      item[FRAME_TYPE] = textElement('CS', ...derivedFrameType(textsOf(item, FRAME_TYPE), 'DERIVED'));
    }
  }
  if (shared && perFrame.length > 0) delete shared[DERIVATION_IMAGE];
  perFrame.forEach((group, frame) => {
    if (restored[frame]) group[DERIVATION_IMAGE] = sequence(derivationOf(frame));
  });
}
