import { reordered } from './axes.ts';
import { allocateVoxels, imageTitle, plainText, refusing } from './guard.ts';
import { numberTypeOf, STORED_NUMBERS } from './numberTypes.ts';
import type { StoredType, VoxelType } from './numberTypes.ts';
import { FormatError, UNPLACED } from './volume.ts';
import type { NamedBytes, NumberType, Volume } from './volume.ts';
import { checkHolds, decodeVoxels } from './voxelBytes.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const LONGEST_HEADER = 2 ** 16;

/** IEEE 754 binary16. */
function readHalf(view: DataView, offset: number, littleEndian: boolean): number {
  const bits = view.getUint16(offset, littleEndian);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const HALF: VoxelType = { name: 'float16', size: 2, read: readHalf, array: null };

/** NumPy's kind and size. */
const TYPES: Readonly<Record<string, StoredType>> = {
  b1: 'uint8', i1: 'int8', u1: 'uint8', i2: 'int16', u2: 'uint16', i4: 'int32', u4: 'uint32', i8: 'int64', u8: 'uint64',
  f4: 'float32', f8: 'float64',
};

interface NpyHeader {
  readonly type: VoxelType;
  readonly written: NumberType;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  /** As NumPy's shape: the slowest axis first, unless in Fortran's order. */
  readonly shape: readonly number[];
  /** Bytes before the first number. */
  readonly length: number;
}

/** Whether the content is a NumPy array (.npy). */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((value, index) => bytes[index] === value);
}

const damaged = (): FormatError => new FormatError('npy: the header is damaged; save the array again with numpy.save');

/** The header's dictionary, whose three entries may come in any order; nothing of it is executed. */
function entriesOf(text: string): ReadonlyMap<string, string> {
  const [, inner] = /^\{(.*)\}\s*$/s.exec(text) ?? [];
  if (inner === undefined) throw damaged();
  const entries = new Map<string, string>();
  const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^']*'|\[[^\]]*\]|True|False|\([\d,\sL]*\))\s*(?:,|$)/y;
  while (entry.lastIndex < inner.trimEnd().length) {
    const [, key, value] = entry.exec(inner) ?? [];
    if (key === undefined || value === undefined) throw damaged();
    entries.set(key, value);
  }
  return entries;
}

function parseHeader(bytes: Uint8Array): NpyHeader {
  if (!isNpy(bytes)) throw new FormatError('npy: no NumPy array was found; save one with numpy.save');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  const start = version === 1 ? 10 : 12;
  const size = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (version < 1 || version > 3 || size > LONGEST_HEADER || start + size > bytes.length) throw damaged();
  const entries = entriesOf(new TextDecoder().decode(bytes.subarray(start, start + size)));
  const descr = entries.get('descr') ?? '';
  const [, order, kind = ''] = /^'([<>|=])(\w+)'$/.exec(descr) ?? [];
  const type = TYPES[kind];
  if (order === undefined || (!type && kind !== 'f2')) {
    throw new FormatError(
      `npy: dtype ${plainText(descr.replace(/[<>|=]/g, ''))} is not supported; ` +
      'save real numbers, such as array.astype("float32")',
    );
  }
  const shape = (entries.get('shape') ?? '').match(/\d+/g)?.map(Number) ?? [];
  if (shape.length < 2 || !shape.every((length) => Number.isSafeInteger(length) && length >= 1)) {
    throw new FormatError(
      `npy: the shape is ${shape.join(' × ') || 'empty'}, expected rows × columns, slices × rows × columns or ` +
      'times × slices × rows × columns',
    );
  }
  return {
    type: type ? STORED_NUMBERS[type] : HALF,
    written: type ? numberTypeOf(type) : 'float32',
    littleEndian: order !== '>',
    fortranOrder: entries.get('fortran_order') === 'True',
    shape,
    length: start + size,
  };
}

/**
 * Reads a NumPy array (.npy, versions 1 to 3) of booleans, integers or floating point, of either byte order, in C's or
 * Fortran's order: [rows, columns], [slices, rows, columns] or [times, slices, rows, columns]; axes before these count
 * as times. Values are as stored.
 *
 * @throws FormatError for complex numbers, objects, structures, other shapes, damaged headers and cut-short data
 */
export function readNpy(file: NamedBytes): Volume {
  return refusing('npy', () => {
    const { type, written, littleEndian, fortranOrder, shape, length } = parseHeader(file.bytes);
    const count = shape.reduce((product, size) => product * size, 1);
    const stored = {
      operation: 'npy', bytes: file.bytes, packing: 'none', skip: length, type, littleEndian, count,
      slope: 1, intercept: 0,
    } as const;
    checkHolds(stored);
    const values = allocateVoxels('npy', count);
    decodeVoxels(stored, values);
    const backwards = shape.map((_, axis) => shape.length - 1 - axis);
    const [columns = 1, rows = 1, places = 1, ...times] = [...shape].reverse();
    const points = times.reduce((product, size) => product * size, 1);
    return {
      name: imageTitle(file.name),
      format: 'npy',
      ...UNPLACED,
      columns,
      rows,
      slices: places * points,
      times: points,
      data: fortranOrder ? reordered('npy', values, shape, backwards) : values,
      origin: { format: 'plain', type: written },
      notices: [],
    };
  });
}
