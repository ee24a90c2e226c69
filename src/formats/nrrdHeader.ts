import { checkedNames, numberedNames } from './dataFiles.ts';
import { plainText } from './guard.ts';
import { STORED_NUMBERS } from './numberTypes.ts';
import type { StoredNumber, StoredType } from './numberTypes.ts';
import { FormatError } from './volume.ts';

/** What a reader uses of an NRRD header (teem's "Definition of NRRD File Format"), checked. */
export interface NrrdHeader {
  readonly number: StoredNumber;
  readonly littleEndian: boolean;
  /** The fastest axis first, each at least 1. */
  readonly sizes: readonly number[];
  readonly encoding: 'raw' | 'gzip' | 'text';
  /** Names without folders; null where the voxels follow the header. */
  readonly dataFiles: readonly string[] | null;
  readonly lineSkip: number;
  /** Negative: the voxels end that many bytes, less one, before the end of the file. */
  readonly byteSkip: number;
  /** One an axis, lower case; '' where the header names none. */
  readonly kinds: readonly string[];
  /** Per axis: a vector, or null for an axis that is not of space; null without the field. */
  readonly directions: readonly (readonly number[] | null)[] | null;
  /** mm per axis, NaN where unknown; null without the field. */
  readonly spacings: readonly number[] | null;
  /** Name of the space, lower case; '' where there is none. */
  readonly space: string;
  readonly spaceOrigin: readonly number[] | null;
  /** mm per unit of the space's axes. */
  readonly unit: number;
  readonly sampleUnits: string;
  /** Bytes before the voxels that follow the header. */
  readonly length: number;
}

/** Longer headers list tens of thousands of files or are none. */
const LONGEST = 2 ** 21;
const MOST_AXES = 16;
const LONGEST_NAME = 1024;

const TYPES: Readonly<Record<string, StoredType>> = {
  'signed char': 'int8', int8: 'int8', int8_t: 'int8',
  uchar: 'uint8', 'unsigned char': 'uint8', uint8: 'uint8', uint8_t: 'uint8',
  short: 'int16', 'short int': 'int16', 'signed short': 'int16', 'signed short int': 'int16', int16: 'int16',
  int16_t: 'int16',
  ushort: 'uint16', 'unsigned short': 'uint16', 'unsigned short int': 'uint16', uint16: 'uint16', uint16_t: 'uint16',
  int: 'int32', 'signed int': 'int32', int32: 'int32', int32_t: 'int32',
  uint: 'uint32', 'unsigned int': 'uint32', uint32: 'uint32', uint32_t: 'uint32',
  longlong: 'int64', 'long long': 'int64', 'long long int': 'int64', 'signed long long': 'int64',
  'signed long long int': 'int64', int64: 'int64', int64_t: 'int64',
  ulonglong: 'uint64', 'unsigned long long': 'uint64', 'unsigned long long int': 'uint64', uint64: 'uint64',
  uint64_t: 'uint64',
  float: 'float32', double: 'float64',
};

const ENCODINGS: Readonly<Record<string, NrrdHeader['encoding']>> = {
  raw: 'raw', gz: 'gzip', gzip: 'gzip', txt: 'text', text: 'text', ascii: 'text',
};

/** mm per unit. */
const MILLIMETRES: Readonly<Record<string, number>> = {
  m: 1000, cm: 10, mm: 1, um: 0.001, 'µm': 0.001, microns: 0.001, nm: 1e-6,
};

const refusal = (what: string): FormatError =>
  new FormatError(`nrrd: ${what}; the header is damaged, export the image again`);

/** Whether the content begins as an NRRD header, attached or detached. */
export function isNrrdHeader(bytes: Uint8Array): boolean {
  return /^NRRD000\d[\r\n]/.test(String.fromCharCode(...bytes.subarray(0, 9)));
}

/** Lines up to the empty one that ends the header, and where that is. */
function headerLines(bytes: Uint8Array): { lines: string[]; length: number } {
  const part = bytes.subarray(0, LONGEST);
  let start = 0;
  const lines: string[] = [];
  const decoder = new TextDecoder();
  for (;;) {
    const end = part.indexOf(10, start);
    const line = decoder.decode(part.subarray(start, end < 0 ? part.length : end)).replace(/\r$/, '');
    start = end < 0 ? part.length : end + 1;
    if (line === '' || end < 0) {
      if (line !== '') lines.push(line);
      if (line !== '' && part.length < bytes.length) throw refusal('no empty line ends the header');
      return { lines, length: start };
    }
    lines.push(line);
  }
}

function numbers(text: string): number[] {
  return text.trim().split(/\s+/).map((part) => (/^[-+]?nan$/i.test(part) ? NaN : Number(part)));
}

/** "(1,0,0) none (0,1,0)" → vectors; one with NaN counts as none. */
function vectors(text: string): (readonly number[] | null)[] {
  return (text.match(/\([^()]*\)|none/gi) ?? []).map((part) => {
    if (part[0] !== '(') return null;
    const vector = part.slice(1, -1).split(',').map(Number);
    return vector.length <= 4 && vector.every(Number.isFinite) ? vector : null;
  });
}

function words(text: string): string[] {
  return (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$/g, '').toLowerCase());
}

function dataFilesOf(value: string, following: readonly string[]): readonly string[] {
  if (/^LIST(\s+\d+)?$/.test(value)) return checkedNames('nrrd', following.filter((line) => line.trim() !== ''));
  const [, pattern, first, last, step] = value.length > LONGEST_NAME ? [] :
    /^(.*%\d*[di]\S*)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+\d+)?$/.exec(value) ?? [];
  if (pattern === undefined) return checkedNames('nrrd', [value]);
  return checkedNames('nrrd', numberedNames('nrrd', pattern, Number(first), Number(last), Number(step)));
}

/** Names as other readers accept them: without blanks, "datafile" as "data file". */
const fieldName = (name: string): string => name.toLowerCase().replace(/\s+/g, '');

/**
 * Parses and checks a header.
 *
 * @throws FormatError where a required field is missing or makes no sense, or number type or encoding are unsupported
 */
export function parseNrrdHeader(bytes: Uint8Array): NrrdHeader {
  if (!isNrrdHeader(bytes)) throw new FormatError('nrrd: no NRRD header was found; export the image again');
  const { lines, length } = headerLines(bytes);
  const fields = new Map<string, string>();
  let dataFiles: readonly string[] | null = null;
  for (const [index, line] of lines.entries()) {
    const [, name, value] = /^([^:#][^:]*):\s(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const field = fieldName(name);
    fields.set(field, value.trim());
    if (field !== 'datafile') continue;
    dataFiles = dataFilesOf(value.trim(), lines.slice(index + 1));
    break;
  }
  const field = (name: string): string => fields.get(name) ?? '';

  const sizes = numbers(field('sizes'));
  if (sizes.length > MOST_AXES || !sizes.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    throw refusal(`the sizes are "${plainText(field('sizes'))}", expected 1 to ${MOST_AXES} numbers of at least 1`);
  }
  const perAxis = <Value>(name: string, values: readonly Value[]): readonly Value[] | null => {
    if (!fields.has(name)) return null;
    if (values.length === sizes.length) return values;
    throw refusal(`"${name}" has ${values.length} values for ${sizes.length} axes`);
  };
  const type = TYPES[field('type').toLowerCase()];
  if (!type) {
    throw new FormatError(`nrrd: type "${plainText(field('type'))}" is not supported; convert the image to float`);
  }
  const encoding = ENCODINGS[field('encoding').toLowerCase()];
  if (!encoding) {
    throw new FormatError(
      `nrrd: encoding "${plainText(field('encoding'))}" is not supported; save the image with encoding gzip or raw`,
    );
  }
  const units = words(field('spaceunits') || field('units'));
  return {
    number: STORED_NUMBERS[type],
    littleEndian: field('endian').toLowerCase() !== 'big',
    sizes,
    encoding,
    dataFiles,
    lineSkip: wholeNumber(field('lineskip'), 0),
    byteSkip: wholeNumber(field('byteskip'), -bytes.length - 1),
    kinds: perAxis('kinds', words(field('kinds'))) ?? sizes.map(() => ''),
    directions: perAxis('spacedirections', vectors(field('spacedirections'))),
    spacings: perAxis('spacings', numbers(field('spacings'))),
    space: field('space').toLowerCase(),
    spaceOrigin: vectors(field('spaceorigin'))[0] ?? null,
    unit: MILLIMETRES[units.find((unit) => unit in MILLIMETRES) ?? ''] ?? 1,
    sampleUnits: field('sampleunits'),
    length,
  };
}

function wholeNumber(text: string, least: number): number {
  const value = Number(text || 0);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw refusal(`a skip is "${plainText(text)}", expected a whole number`);
}
