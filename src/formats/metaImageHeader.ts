import { checkedNames, numberedNames } from './dataFiles.ts';
import { plainText } from './guard.ts';
import { STORED_NUMBERS } from './numberTypes.ts';
import type { StoredNumber, StoredType } from './numberTypes.ts';
import { FormatError } from './volume.ts';

/** What a reader uses of a MetaImage header, checked. */
export interface MetaImageHeader {
  readonly number: StoredNumber;
  readonly littleEndian: boolean;
  /** DimSize: columns, rows, slices, times; two to four of them. */
  readonly sizes: readonly number[];
  readonly channels: number;
  readonly encoding: 'raw' | 'zlib' | 'text';
  /** Names without folders; null where the voxels follow the header. */
  readonly dataFiles: readonly string[] | null;
  /** Bytes before the voxels in a data file; −1: the voxels are at its end. */
  readonly headerSize: number;
  /** TransformMatrix: row k is the direction of axis k, LPS; null without the field. */
  readonly matrix: readonly number[] | null;
  /** Centre of the first voxel, mm, LPS; null without the field. */
  readonly offset: readonly number[] | null;
  /** mm; null without the field. */
  readonly spacing: readonly number[] | null;
  readonly comment: string;
  /** Bytes before the voxels that follow the header. */
  readonly length: number;
}

/** Longer headers list tens of thousands of files or are none. */
const LONGEST = 2 ** 21;
const MOST_CHANNELS = 4096;
const LONGEST_NAME = 1024;

/** MetaIO's names and sizes; MET_LONG has 4 bytes. */
const TYPES: Readonly<Record<string, StoredType>> = {
  MET_CHAR: 'int8', MET_UCHAR: 'uint8', MET_SHORT: 'int16', MET_USHORT: 'uint16', MET_INT: 'int32', MET_UINT: 'uint32',
  MET_LONG: 'int32', MET_ULONG: 'uint32', MET_LONG_LONG: 'int64', MET_ULONG_LONG: 'uint64',
  MET_FLOAT: 'float32', MET_DOUBLE: 'float64',
};

const refusal = (what: string): FormatError =>
  new FormatError(`metaimage: ${what}; the header is damaged, export the image again`);

/** Whether the content is text that begins as a MetaImage header (.mha, .mhd). */
export function isMetaImageHeader(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096));
  if (!/^(ObjectType|ObjectSubType|Comment|TransformType|NDims|Name|ID|BinaryData)\s*=/.test(text)) return false;
  return /^NDims\s*=\s*\d/m.test(text) && !/^ObjectType\s*=\s*(?!Image\b)\w/m.test(text);
}

/** "Key = value" lines up to ElementDataFile, which is the last. */
function headerFields(bytes: Uint8Array): { fields: Map<string, string>; length: number } {
  const fields = new Map<string, string>();
  const part = bytes.subarray(0, LONGEST);
  const decoder = new TextDecoder();
  let start = 0;
  while (start < part.length) {
    const found = part.indexOf(10, start);
    const end = found < 0 ? part.length : found;
    const [, key, value] = /^\s*(\w+)\s*=(.*)$/.exec(decoder.decode(part.subarray(start, end)).trim()) ?? [];
    start = end + 1;
    if (key !== undefined && value !== undefined) fields.set(key.toLowerCase(), value.trim());
    if (key?.toLowerCase() === 'elementdatafile') return { fields, length: Math.min(start, part.length) };
  }
  throw refusal('no ElementDataFile ends the header');
}

function numbers(text: string | undefined, least: number, name: string): number[] | null {
  if (text === undefined) return null;
  const values = text.split(/\s+/).map(Number);
  if (values.length >= least && values.every(Number.isFinite)) return values;
  throw refusal(`${name} is "${plainText(text)}", expected ${least} numbers`);
}

function dataFilesOf(value: string, following: Uint8Array): readonly string[] | null {
  if (/^local$/i.test(value)) return null;
  if (/^list\b/i.test(value)) {
    const lines = new TextDecoder().decode(following.subarray(0, LONGEST)).split(/\r?\n/);
    return checkedNames('metaimage', lines.filter((line) => line.trim() !== ''));
  }
  const [, pattern, first, last, step = '1'] = value.length > LONGEST_NAME ? [] :
    /^(.*%\d*[di]\S*)\s+(\d+)\s+(\d+)(?:\s+(\d+))?$/.exec(value) ?? [];
  if (pattern === undefined) return checkedNames('metaimage', [value]);
  return checkedNames('metaimage', numberedNames('metaimage', pattern, Number(first), Number(last), Number(step)));
}

const isTrue = (text: string | undefined): boolean => /^(true|1|t|yes|y)$/i.test(text ?? '');

/**
 * Parses and checks a header.
 *
 * @throws FormatError where a required field is missing or makes no sense, or the element type is unsupported
 */
export function parseMetaImageHeader(bytes: Uint8Array): MetaImageHeader {
  if (!isMetaImageHeader(bytes)) {
    throw new FormatError('metaimage: no MetaImage header was found; export the image again');
  }
  const { fields, length } = headerFields(bytes);
  const count = Number(fields.get('ndims'));
  if (!(count >= 2 && count <= 4)) {
    throw new FormatError(`metaimage: NDims is ${plainText(fields.get('ndims') ?? '')}, expected 2, 3 or 4 dimensions`);
  }
  const sizes = (numbers(fields.get('dimsize'), count, 'DimSize') ?? []).slice(0, count);
  if (sizes.length < count || !sizes.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw refusal(`DimSize is "${plainText(fields.get('dimsize') ?? '')}", expected ${count} numbers of at least 1`);
  }
  const channels = Number(fields.get('elementnumberofchannels') ?? 1);
  if (!(Number.isInteger(channels) && channels >= 1 && channels <= MOST_CHANNELS)) {
    throw refusal(`ElementNumberOfChannels is not 1 to ${MOST_CHANNELS}`);
  }
  const elementType = fields.get('elementtype') ?? '';
  const type = TYPES[elementType.toUpperCase().replace(/_ARRAY$/, '')];
  if (!type) {
    throw new FormatError(
      `metaimage: ElementType "${plainText(elementType)}" is not supported; convert the image to MET_FLOAT`,
    );
  }
  const headerSize = Number(fields.get('headersize') ?? 0);
  if (!(Number.isSafeInteger(headerSize) && headerSize >= -1)) throw refusal('HeaderSize is no number of bytes');
  const either = (...names: readonly string[]): string | undefined =>
    names.map((name) => fields.get(name)).find((value) => value !== undefined && value !== '');
  const binary = fields.get('binarydata');
  return {
    number: STORED_NUMBERS[type],
    littleEndian: !isTrue(either('binarydatabyteordermsb', 'elementbyteordermsb')),
    sizes,
    channels,
    encoding: binary !== undefined && !isTrue(binary) ? 'text' : isTrue(fields.get('compresseddata')) ? 'zlib' : 'raw',
    dataFiles: dataFilesOf(fields.get('elementdatafile') ?? '', bytes.subarray(length)),
    headerSize,
    matrix: numbers(either('transformmatrix', 'rotation', 'orientation'), count * count, 'TransformMatrix'),
    offset: numbers(either('offset', 'position', 'origin'), count, 'Offset'),
    spacing: numbers(either('elementspacing', 'elementsize'), count, 'ElementSpacing'),
    comment: fields.get('comment') ?? '',
    length,
  };
}
