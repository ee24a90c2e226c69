import { textDecoderFor } from './characterSets.ts';
import type { TextDecode } from './characterSets.ts';
import { TAG } from './dataElements.ts';
import type { Element, Elements, ElementValue } from './dataElements.ts';
import { itemsOf } from './dicomElements.ts';
import type { ElementRun } from './dicomElements.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { FormatError } from './volume.ts';

/** Value representation of a tag by PS3.6, null where that does not know it; may be "ox", "xs" and the like. */
export type Dictionary = (tag: string) => string | null;

type SourceElement = NonNullable<ElementRun['dataSet']['elements'][string]>;

/** Functional groups and structured content need a dozen; dcmjs writes by recursion. */
const MAX_DEPTH = 256;
/** A few thousand frames' functional groups; dcmjs takes some 25 µs to write one element. */
const MAX_ELEMENTS = 2 ** 17;

/** Affected by Specific Character Set (PS3.5, 6.1.2.3). */
const TEXT = new Set('LO LT PN SH ST UC UT'.split(' '));
const ASCII = new Set('AE AS CS DA DS DT IS TM UI UR'.split(' '));
/**
 * Written with their bytes as they are. Not so OL, OV and SV, which dcmjs does not write, nor UV, which some readers
 * take for a short form: unknown (UN) is what PS3.5 (6.2.2) provides for that.
 */
const BYTES = new Set('OB OD OF OW UN'.split(' '));
/** Bytes of one number. */
const NUMBER: Readonly<Record<string, number>> = { US: 2, SS: 2, UL: 4, SL: 4, FL: 4, FD: 8, AT: 4 };
/** Bytes that big endian turns round together. */
const WORD: Readonly<Record<string, number>> = { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8, SV: 8, UV: 8 };
/** Dictionary entries that leave a choice; "xs" goes by Pixel Representation. */
const AMBIGUOUS: Readonly<Record<string, string>> = { ox: 'OW', lt: 'OW', up: 'UL', xx: 'UN', na: 'UN' };

/** What a data set hands down to its items. */
interface Context {
  readonly decode: TextDecode;
  readonly signed: boolean;
  readonly depth: number;
}

/** One character a byte, which is how dcmjs writes these back. */
function byteString(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function numbers(vr: string, size: number, bytes: Uint8Array, littleEndian: boolean): ElementValue[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: ElementValue[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    values.push(
      vr === 'US' ? view.getUint16(at, littleEndian)
        : vr === 'SS' ? view.getInt16(at, littleEndian)
          : vr === 'UL' ? view.getUint32(at, littleEndian)
            : vr === 'SL' ? view.getInt32(at, littleEndian)
              : vr === 'FL' ? view.getFloat32(at, littleEndian)
                : vr === 'FD' ? view.getFloat64(at, littleEndian)
                  : view.getUint16(at, littleEndian) * 65536 + view.getUint16(at + 2, littleEndian),
    );
  }
  return values;
}

/** Makes elements out of a parsed data set, counting them. */
class ElementMaker {
  private readonly dictionary: Dictionary;
  private count = 0;

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary;
  }

  dataSet(run: ElementRun, outer: Context): Elements {
    if (outer.depth > MAX_DEPTH) {
      throw new FormatError(
        `dicom: the header's sequences are nested more than ${MAX_DEPTH} deep and cannot be written again; ` +
        'save as NIfTI instead',
      );
    }
    const context = this.contextOf(run, outer);
    const elements: Elements = {};
    const sources = Object.entries(run.dataSet.elements);
    this.count += sources.length;
    if (this.count > MAX_ELEMENTS) {
      throw new FormatError(
        `dicom: the header has more than ${MAX_ELEMENTS} elements, which is too many to write; save as NIfTI instead`,
      );
    }
    for (const [name, source] of sources) {
      const tag = name.slice(1).toUpperCase();
      // Group lengths are retired and would be wrong; text is written as UTF-8, so character sets no longer hold.
      const dropped = tag.endsWith('0000') || tag < '00080000' || tag === TAG.characterSet
        || (context.depth === 0 && tag >= '7FE00000');
      const element = dropped ? null : this.element(run, tag, source, context);
      if (element) elements[tag] = element;
    }
    return elements;
  }

  /** Character set and sign of pixels, where a data set states its own. */
  private contextOf(run: ElementRun, outer: Context): Context {
    const characterSet = run.dataSet.elements['x00080005'];
    const representation = run.dataSet.elements['x00280103'];
    return {
      depth: outer.depth,
      decode: characterSet ? textDecoderFor(byteString(bytesOf(run, characterSet)).split('\\')) : outer.decode,
      signed: representation && representation.length >= 2
        ? run.dataSet.uint16('x00280103') === 1 : outer.signed,
    };
  }

  /** Value representation by the dictionary; private creators are known by their place (PS3.5, 7.8.1). */
  private known(tag: string, { signed }: Context): string {
    if (parseInt(tag.slice(3, 4), 16) % 2 === 1) return /^....00[1-9A-F].$/.test(tag) ? 'LO' : 'UN';
    const vr = this.dictionary(tag) ?? 'UN';
    return vr === 'xs' ? (signed ? 'SS' : 'US') : AMBIGUOUS[vr] ?? vr;
  }

  /** null for what cannot be kept: the encapsulated pixel data of an icon. */
  private element(run: ElementRun, tag: string, source: SourceElement, context: Context): Element | null {
    const declared = source.vr ?? '';
    // Unknown to software that passed it on: its content is implicit little endian then (PS3.5, 6.2.2).
    const vr = declared === '' || declared === 'UN' ? this.known(tag, context) : declared;
    if (vr === 'SQ' || (vr === 'UN' && source.hadUndefinedLength)) {
      const items = itemsOf(run, source.tag);
      if (items.length > 0 || source.length === 0 || source.hadUndefinedLength) {
        const inner = { ...context, depth: context.depth + 1 };
        return { vr: 'SQ', Value: items.map((item) => this.dataSet(item, inner)) };
      }
      return { vr: 'UN', Value: [bytesOf(run, source).slice().buffer as ArrayBuffer] };
    }
    if (source.hadUndefinedLength) return null;
    return valueOf(vr, bytesOf(run, source), declared === 'UN' || run.encoding.littleEndian, context);
  }
}

const bytesOf = ({ dataSet }: ElementRun, { dataOffset, length }: SourceElement): Uint8Array =>
  (dataSet.byteArray as Uint8Array).subarray(dataOffset, dataOffset + length);

function valueOf(vr: string, bytes: Uint8Array, littleEndian: boolean, { decode }: Context): Element {
  if (TEXT.has(vr)) return { vr, Value: [decode(bytes).replace(/[\0 ]+$/, '')] };
  if (ASCII.has(vr)) return { vr, Value: [byteString(bytes).replace(/[\0 ]+$/, '')] };
  const size = NUMBER[vr];
  if (size !== undefined) return { vr, Value: numbers(vr, size, bytes, littleEndian) };
  const copy = bytes.slice();
  const word = WORD[vr] ?? 1;
  if (!littleEndian) {
    for (let at = 0; at + word <= copy.length; at += word) copy.subarray(at, at + word).reverse();
  }
  return { vr: BYTES.has(vr) ? vr : 'UN', Value: [copy.buffer] };
}

/**
 * Turns a parsed header into the form that dcmjs writes: every text decoded, every number read. dcmjs's own reader is
 * not used: it refuses several character sets at once, forgets them within sequences, takes OV for a short form and
 * finds the end of items by searching for two bytes.
 *
 * Private sequences of defined length in implicit files stay bytes; icons' encapsulated pixels are left out.
 *
 * @throws FormatError where sequences are nested beyond reason or elements are too many
 */
export function writableElements(parsed: DicomDataSet, dictionary: Dictionary): Elements {
  const context: Context = { decode: textDecoderFor([]), signed: false, depth: 0 };
  return new ElementMaker(dictionary).dataSet(parsed.elements, context);
}
