/** One value of an element; text is one value, multiplicity and all ("ORIGINAL\PRIMARY"). */
export type ElementValue = string | number | ArrayBuffer | Elements;

/** A data element as dcmjs writes it. */
export interface Element {
  readonly vr: string;
  readonly Value: readonly ElementValue[];
}

/** A data set or an item: tag, eight hexadecimal digits in capitals, → element. */
export type Elements = Record<string, Element>;

/** Tags that more than one of the writer's files needs. */
export const TAG = {
  characterSet: '00080005',
  imageType: '00080008',
  sopClass: '00080016',
  sopInstance: '00080018',
  modality: '00080060',
  seriesDescription: '0008103E',
  studyInstance: '0020000D',
  seriesInstance: '0020000E',
  seriesNumber: '00200011',
  instanceNumber: '00200013',
  samplesPerPixel: '00280002',
  photometric: '00280004',
  numberOfFrames: '00280008',
  rows: '00280010',
  columns: '00280011',
  bitsAllocated: '00280100',
  bitsStored: '00280101',
  highBit: '00280102',
  pixelRepresentation: '00280103',
  paddingValue: '00280120',
  paddingRangeLimit: '00280121',
  rescaleIntercept: '00281052',
  rescaleSlope: '00281053',
  rescaleType: '00281054',
  modalityLut: '00283000',
  pixelValueTransformation: '00289145',
  sharedGroups: '52009229',
  perFrameGroups: '52009230',
} as const;

const isElements = (value: ElementValue): value is Elements =>
  typeof value === 'object' && !(value instanceof ArrayBuffer);

/** All of a text element, with backslashes between its values; '' where absent or not text. */
export function textOf(elements: Elements, tag: string): string {
  const value = elements[tag]?.Value[0];
  return typeof value === 'string' ? value : '';
}

/** Text, value by value; none where the element is absent or empty. */
export function textsOf(elements: Elements, tag: string): string[] {
  const text = textOf(elements, tag);
  return text === '' ? [] : text.split('\\');
}

/** The first value as a number, from binary or from text (DS, IS); null where there is none. */
export function numberOf(elements: Elements, tag: string): number | null {
  const value = elements[tag]?.Value[0];
  if (typeof value === 'number') return value;
  const text = textsOf(elements, tag)[0]?.trim().replace(',', '.') ?? '';
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : null;
}

/** The items of a sequence; none where it is absent. */
export function itemsOf(elements: Elements, tag: string): Elements[] {
  return elements[tag]?.vr === 'SQ' ? elements[tag].Value.filter(isElements) : [];
}

export const sequence = (...items: Elements[]): Element => ({ vr: 'SQ', Value: items });

export const textElement = (vr: string, ...values: string[]): Element => ({ vr, Value: [values.join('\\')] });

export const unsignedShort = (value: number): Element => ({ vr: 'US', Value: [value] });

/** A triplet of PS3.3, section 8: code value, coding scheme designator, code meaning. */
export const codeItem = (value: string, scheme: string, meaning: string): Elements => ({
  '00080100': textElement('SH', value),
  '00080102': textElement('SH', scheme),
  '00080104': textElement('LO', meaning),
});

/** Calls `visit` for a data set and for every item in it, however deep. */
export function eachDataSet(elements: Elements, visit: (elements: Elements) => void): void {
  visit(elements);
  for (const tag of Object.keys(elements)) {
    for (const item of itemsOf(elements, tag)) eachDataSet(item, visit);
  }
}
