import * as dicomParser from 'dicom-parser';
import type { DataSet, Element } from 'dicom-parser';
import { FormatError } from './volume.ts';

/** How the elements of a data set are written (PS3.5, section 7.1). */
export interface Encoding {
  /** Value representations are spelt out. */
  readonly explicit: boolean;
  readonly littleEndian: boolean;
}

/** Elements read from a stretch of bytes; dicom-parser's data set decodes their values. */
export interface ElementRun {
  readonly dataSet: DataSet;
  readonly encoding: Encoding;
  /** Behind the last element, or at the start of the one that stopped the reading. */
  readonly end: number;
  /**
   * 'stopped': by the caller's tag; 'complete': at the end of the bytes; 'cut': an element reaches beyond the bytes, to
   * `wanted` where that is known; 'damaged': what follows is no element.
   */
  readonly outcome: 'stopped' | 'complete' | 'cut' | 'damaged';
  readonly wanted: number;
}

const UNDEFINED_LENGTH = 0xffffffff;
/** Value representations with a 32-bit length behind two reserved bytes (PS3.5, table 7.1-1). */
const LONG_FORM = new Set('OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' '));
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
/** Nothing in use nests a tenth as deep. */
const MAX_DEPTH = 1024;
/** Far above the frames, records or fields of any real sequence. */
const MAX_ITEMS = 2 ** 18;

const IMPLICIT: Encoding = { explicit: false, littleEndian: true };

interface ElementHeader {
  readonly tag: number;
  readonly vr: string;
  readonly length: number;
  /** Where the value begins. */
  readonly value: number;
}

const isCapital = (code: number): boolean => code >= 0x41 && code <= 0x5a;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tagAt(view: DataView, at: number, littleEndian: boolean): number {
  return view.getUint16(at, littleEndian) * 0x10000 + view.getUint16(at + 2, littleEndian);
}

/** "x00280010", as dicom-parser names tags. */
function tagName(tag: number): string {
  return `x${tag.toString(16).padStart(8, '0')}`;
}

/** The element that begins at `at`; null where the bytes end within its header. */
function headerAt(view: DataView, at: number, { explicit, littleEndian }: Encoding): ElementHeader | null {
  if (at + 8 > view.byteLength) return null;
  const tag = tagAt(view, at, littleEndian);
  const [first, second] = [view.getUint8(at + 4), view.getUint8(at + 5)];
  // Delimiters never spell a representation out; elsewhere one that is no pair of capitals is an implicit element that
  // a careless writer copied.
  if (!explicit || tag >= 0xfffe0000 || !isCapital(first) || !isCapital(second)) {
    return { tag, vr: '', length: view.getUint32(at + 4, littleEndian), value: at + 8 };
  }
  const vr = String.fromCharCode(first, second);
  if (!LONG_FORM.has(vr)) return { tag, vr, length: view.getUint16(at + 6, littleEndian), value: at + 8 };
  if (at + 12 > view.byteLength) return null;
  return { tag, vr, length: view.getUint32(at + 8, littleEndian), value: at + 12 };
}

/** A value of undefined length in a data set of this encoding; an unknown one (UN) is implicit (PS3.5, 6.2.2). */
const within = (vr: string, encoding: Encoding): Encoding => (vr === 'UN' ? IMPLICIT : encoding);

/**
 * The end of a sequence (or of encapsulated data) of undefined length whose items begin at `from`, delimiter included;
 * null where the bytes end before, NaN where they hold something else. Iterative, so that hostile nesting costs no
 * stack.
 *
 * @throws FormatError where it nests deeper than `MAX_DEPTH`
 */
function sequenceEnd(view: DataView, from: number, encoding: Encoding): number | null {
  /** Open sequences and items, outermost first. */
  const open: { readonly item: boolean; readonly encoding: Encoding }[] = [{ item: false, encoding }];
  let at = from;
  for (let top = open[0]; top; top = open[open.length - 1]) {
    const header = headerAt(view, at, top.encoding);
    if (!header) return null;
    at = header.value;
    if (header.tag === SEQUENCE_END || header.tag === ITEM_END) {
      // A sequence's delimiter also ends an item that was never closed.
      if (header.tag === SEQUENCE_END && top.item) open.pop();
      if (header.tag === SEQUENCE_END || top.item) open.pop();
      continue;
    }
    if (!top.item && header.tag !== ITEM) return Number.NaN;
    if (header.length === UNDEFINED_LENGTH) {
      open.push({ item: !top.item, encoding: top.item ? within(header.vr, top.encoding) : top.encoding });
      if (open.length > MAX_DEPTH) {
        throw new FormatError(
          `dicom: the header nests more than ${MAX_DEPTH} sequences in each other; it is damaged, export it again`,
        );
      }
    } else {
      at += header.length;
      if (at > view.byteLength) return null;
    }
  }
  return at;
}

let methods: DataSet | null = null;

/** dicom-parser makes data sets only by parsing; that of a blank file lends its methods to all others. */
function emptyDataSet(bytes: Uint8Array, littleEndian: boolean): DataSet {
  if (methods === null) {
    const blank = new Uint8Array(132);
    blank.set([0x44, 0x49, 0x43, 0x4d], 128);
    methods = Object.getPrototypeOf(dicomParser.readPart10Header(blank)) as DataSet;
  }
  const dataSet = Object.create(methods) as DataSet;
  dataSet.byteArray = bytes;
  dataSet.byteArrayParser = littleEndian
    ? dicomParser.littleEndianByteArrayParser : dicomParser.bigEndianByteArrayParser;
  dataSet.elements = {};
  dataSet.warnings = [];
  return dataSet;
}

/**
 * Reads the elements of one level of a data set; sequences are stepped over and read by `itemsOf` when asked for. This
 * walk stands in for dicom-parser's own, which recurses into whatever a file nests, builds every item, and takes the
 * representations OV, SV and UV for short ones.
 *
 * @param stop the tag to stop in front of; its element is there without its value having been looked at
 */
export function readElements(
  bytes: Uint8Array, start: number, end: number, encoding: Encoding, stop: (tag: number) => boolean,
): ElementRun {
  const view = viewOf(end < bytes.length ? bytes.subarray(0, end) : bytes);
  const dataSet = emptyDataSet(bytes, encoding.littleEndian);
  const ended = (outcome: ElementRun['outcome'], at: number, wanted = at): ElementRun =>
    ({ dataSet, encoding, end: at, outcome, wanted });
  let at = start;
  while (at < end) {
    const header = headerAt(view, at, encoding);
    if (!header) return ended('cut', at, at + 12);
    const { tag, vr, length, value } = header;
    if (tag === ITEM_END) return ended('complete', value);
    const element: Element = { tag: tagName(tag), vr, length, dataOffset: value };
    if (length === UNDEFINED_LENGTH) element.hadUndefinedLength = true;
    if (stop(tag)) {
      dataSet.elements[element.tag] = element;
      return ended('stopped', at);
    }
    if (tag >= 0xfffe0000) return ended('damaged', at);
    let next: number | null = value + length;
    if (element.hadUndefinedLength) {
      next = sequenceEnd(view, value, within(vr, encoding));
      if (next === null) return ended('cut', at, end + 1);
      if (Number.isNaN(next)) return ended('damaged', at);
      element.length = next - value;
    }
    if (next > end) return ended('cut', at, next);
    dataSet.elements[element.tag] = element;
    at = next;
  }
  return ended('complete', at);
}

/**
 * The items of a sequence, each with its own elements; [] where there is no such sequence or it is damaged at once.
 *
 * @param most items to read
 */
export function itemsOf(run: ElementRun, tag: string, most = MAX_ITEMS): ElementRun[] {
  const element = run.dataSet.elements[tag];
  if (!element) return [];
  const bytes = run.dataSet.byteArray as Uint8Array;
  const encoding = within(element.vr ?? '', run.encoding);
  const end = element.dataOffset + element.length;
  const view = viewOf(bytes.subarray(0, end));
  const items: ElementRun[] = [];
  let at = element.dataOffset;
  while (items.length < most) {
    const header = headerAt(view, at, encoding);
    if (header?.tag !== ITEM) break;
    const known = header.length !== UNDEFINED_LENGTH;
    const itemEnd = known ? Math.min(end, header.value + header.length) : end;
    const item = readElements(bytes, header.value, itemEnd, encoding, () => false);
    items.push(item);
    if (!known && item.outcome !== 'complete') break;
    at = known ? itemEnd : item.end;
  }
  return items;
}

/** The first item of a sequence; null where there is none. */
export function firstItem(run: ElementRun | null | undefined, tag: string): ElementRun | null {
  return run ? itemsOf(run, tag, 1)[0] ?? null : null;
}
