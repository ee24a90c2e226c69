import { decodeElements, ITEM_SIZE, type ElementType } from './elements.ts';
import { printable, printableShape, WeightsError } from './errors.ts';
import { elementCount, type StoredTensor } from './tensor.ts';

/** A header of this size describes some hundred thousand tensors; a network of 44 blocks takes 130 KB. */
const MAX_HEADER_BYTES = 16 * 2 ** 20;
const MAX_RANK = 8;

interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file (8-byte little-endian header length, JSON header, data; github.com/huggingface/safetensors).
 * F64 becomes Float64Array, F32, F16 and BF16 Float32Array, integers and booleans Float64Array.
 *
 * As the format asks, the tensors must fill the data without overlap and without gaps: memory is bounded by the file.
 *
 * @throws WeightsError where the header or a tensor's range contradicts the file
 */
export function readSafetensors(
  bytes: Uint8Array,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const { header, dataBegin } = readHeader(bytes);
  const data = bytes.subarray(dataBegin);
  const metadata = readMetadata(header['__metadata__']);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, data.byteLength));
  checkCoverage(entries, data.byteLength);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, type, shape, begin, end } of entries) {
    tensors.set(name, { shape, data: decodeElements(data.subarray(begin, end), type) });
  }
  return { tensors, metadata };
}

/**
 * Writes tensors as safetensors: Float64Array as F64, Float32Array as F32, F64 first so that all are aligned.
 *
 * @throws WeightsError where a shape does not fit its data
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>, metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const isDouble = ([, { data }]: [string, StoredTensor]) => data instanceof Float64Array;
  const all = [...tensors];
  const ordered = [...all.filter(isDouble), ...all.filter((entry) => !isDouble(entry))];
  const header: [string, unknown][] = [['__metadata__', metadata]];
  let size = 0;
  for (const [name, { shape, data }] of ordered) {
    if (elementCount(shape) !== data.length) {
      throw new WeightsError(
        `safetensors: ${printable(name)} has shape ${printableShape(shape)} but ${data.length} elements; ` +
          'give it data that fits its shape',
      );
    }
    const dtype = data instanceof Float64Array ? 'F64' : 'F32';
    header.push([name, { dtype, shape, data_offsets: [size, size + data.byteLength] }]);
    size += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const dataBegin = 8 + Math.ceil(json.byteLength / 8) * 8;
  const bytes = new Uint8Array(dataBegin + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataBegin - 8), true);
  bytes.fill(0x20, 8, dataBegin);
  bytes.set(json, 8);
  let at = dataBegin;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; dataBegin: number } {
  if (bytes.byteLength < 8) {
    throw new WeightsError(
      `safetensors: the file has ${bytes.byteLength} bytes, less than the 8 of a header length; fetch it again`,
    );
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > bytes.byteLength - 8) {
    throw new WeightsError(
      `safetensors: the header claims ${length} bytes but the file has ${bytes.byteLength}; ` +
        'the file is damaged or cut short, fetch it again',
    );
  }
  if (length > MAX_HEADER_BYTES) {
    throw new WeightsError(
      `safetensors: the header has ${length} bytes and at most ${MAX_HEADER_BYTES} are read; ` +
        'save the weights of one network alone',
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw new WeightsError('safetensors: the header is not JSON; the file is damaged, fetch it again');
  }
  if (!isObject(header)) {
    throw new WeightsError('safetensors: the header is not a JSON object of tensors; save the file again');
  }
  return { header, dataBegin: 8 + length };
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw new WeightsError('safetensors: __metadata__ is not a JSON object; save the file again');
  const entries = Object.entries(value).map(([key, text]): [string, string] => {
    if (typeof text === 'string') return [key, text];
    throw new WeightsError(
      `safetensors: __metadata__ entry ${printable(key)} is ${text === null ? 'null' : typeof text}, ` +
        'expected a string; save the file again',
    );
  });
  return Object.fromEntries(entries);
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const refuse = (found: string) =>
    new WeightsError(`safetensors: ${printable(name)} ${found}; the file is damaged, fetch or save it again`);
  if (!isObject(value)) throw refuse('is not described by a JSON object');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ITEM_SIZE, dtype)) {
    throw new WeightsError(
      `safetensors: ${printable(name)} has dtype ${printable(String(dtype))}, which is not supported; convert to F32`,
    );
  }
  const type = dtype as ElementType;
  if (!isSizes(shape) || shape.length > MAX_RANK) {
    throw refuse(`has a shape that is not a list of at most ${MAX_RANK} sizes`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) throw refuse('has data_offsets that are not two whole numbers');
  const [begin, end] = offsets;
  if (begin > end || end > dataLength) {
    throw refuse(`claims bytes ${begin} to ${end} but the file has ${dataLength} bytes of data`);
  }
  const expected = elementCount(shape) * ITEM_SIZE[type];
  if (expected !== end - begin) {
    throw refuse(`of shape ${printableShape(shape)} in ${type} needs ${expected} bytes but has ${end - begin}`);
  }
  return { name, type, shape, begin, end };
}

function checkCoverage(entries: readonly Entry[], dataLength: number): void {
  let covered = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      throw new WeightsError(
        `safetensors: ${printable(name)} begins at byte ${begin} of the data, where the tensor before it ends at ` +
          `${covered}; the file is damaged, fetch or save it again`,
      );
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new WeightsError(
      `safetensors: the tensors end at byte ${covered} of ${dataLength} bytes of data; ` +
        'the file is damaged, fetch or save it again',
    );
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
