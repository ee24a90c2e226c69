import { inflateSync } from 'fflate';
import { printable, WeightsError } from './errors.ts';

/** One file inside a zip archive, as the central directory describes it. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflated; others are refused when read. */
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressedSize: number;
  readonly size: number;
  readonly localHeader: number;
}

/** A zip archive: `bytes` is the whole file. */
export interface ZipArchive {
  readonly bytes: Uint8Array;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Bytes of all entries once inflated. */
  readonly totalSize: number;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_RECORD = 0x06054b50;
const END_RECORD_64 = 0x06064b50;
const END_LOCATOR_64 = 0x07064b50;
const END_RECORD_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;

/** Checkpoints have one entry a tensor; the directory itself is bounded by the file. */
const MAX_ENTRIES = 100_000;
/** Deflate codes at most 258 bytes in 2 bits. */
const MAX_DEFLATE_RATIO = 1032;
/** What deflated entries may unpack to, all together; PyTorch itself stores without compression. */
const MAX_INFLATED_BYTES = 2 ** 30;

const damaged = (found: string) =>
  new WeightsError(`pytorch: ${found}; the file is damaged or cut short, fetch it again`);

/**
 * Reads the central directory of a zip archive (APPNOTE.TXT 4.3; zip64 included) and checks every size against the file
 * before anything is unpacked.
 *
 * @throws WeightsError
 */
export function openZip(bytes: Uint8Array): ZipArchive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { begin, end, count } = findDirectory(view);
  if (count > MAX_ENTRIES) {
    throw new WeightsError(
      `pytorch: the zip archive claims ${count} entries and at most ${MAX_ENTRIES} are read; save the state_dict alone`,
    );
  }
  const entries = new Map<string, ZipEntry>();
  let packed = 0;
  let inflated = 0;
  let totalSize = 0;
  for (let i = 0, at = begin; i < count; i++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL_HEADER) {
      throw damaged(`the zip directory ends after ${i} of ${count} entries`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > end) throw damaged(`entry ${i} of the zip directory runs past its end`);
    const entry = readEntry(view, at, nameLength, extraLength);
    packed += entry.compressedSize;
    totalSize += entry.size;
    const possible = entry.method === 0 ? entry.compressedSize : MAX_DEFLATE_RATIO * entry.compressedSize;
    if (entry.size > possible || (entry.method === 0 && entry.size < possible)) {
      throw damaged(`${printable(entry.name)} claims ${entry.size} bytes, packed in ${entry.compressedSize}`);
    }
    if (entry.method !== 0) inflated += entry.size;
    entries.set(entry.name, entry);
    at = next;
  }
  if (packed > begin) throw damaged(`the zip entries claim ${packed} bytes but only ${begin} precede the directory`);
  if (inflated > MAX_INFLATED_BYTES) {
    throw new WeightsError(
      `pytorch: the compressed entries claim ${inflated} bytes and at most ${MAX_INFLATED_BYTES} are unpacked; ` +
        'save the state_dict again with torch.save',
    );
  }
  return { bytes, entries, totalSize };
}

/** The contents of an entry: a view of the archive where it is stored, unpacked where it is deflated. */
export function readZipEntry({ bytes }: ZipArchive, entry: ZipEntry): Uint8Array {
  const { name, method, localHeader: at, compressedSize, size } = entry;
  if (entry.encrypted || (method !== 0 && method !== 8)) {
    throw new WeightsError(
      `pytorch: ${printable(name)} is ${entry.encrypted ? 'encrypted' : `compressed with zip method ${method}`}, ` +
        'which is not supported; save the state_dict again with torch.save',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 30 > bytes.byteLength || view.getUint32(at, true) !== LOCAL_HEADER) {
    throw damaged(`${printable(name)} is not where the zip directory says`);
  }
  const begin = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  if (begin + compressedSize > bytes.byteLength) throw damaged(`${printable(name)} runs past the end of the file`);
  const packed = bytes.subarray(begin, begin + compressedSize);
  if (method === 0) return packed;
  let unpacked: Uint8Array;
  try {
    // With an output array of its own fflate never grows: what does not fit throws or is cut.
    unpacked = inflateSync(packed, { out: new Uint8Array(size) });
  } catch {
    throw damaged(`${printable(name)} does not unpack`);
  }
  if (unpacked.byteLength !== size) {
    throw damaged(`${printable(name)} unpacks to ${unpacked.byteLength} bytes instead of ${size}`);
  }
  return unpacked;
}

function readEntry(view: DataView, at: number, nameLength: number, extraLength: number): ZipEntry {
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const sizes = {
    size: view.getUint32(at + 24, true),
    compressedSize: view.getUint32(at + 20, true),
    localHeader: view.getUint32(at + 42, true),
  };
  // Zip64 extended information (APPNOTE 4.5.3): only the fields that overflowed, in this order.
  const extraEnd = at + 46 + nameLength + extraLength;
  for (let field = at + 46 + nameLength; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    const fieldEnd = Math.min(extraEnd, field + 4 + view.getUint16(field + 2, true));
    let value = field + 4;
    for (const key of ['size', 'compressedSize', 'localHeader'] as const) {
      if (sizes[key] !== 0xffffffff || value + 8 > fieldEnd) continue;
      sizes[key] = Number(view.getBigUint64(value, true));
      value += 8;
    }
  }
  const method = view.getUint16(at + 10, true);
  const encrypted = (view.getUint16(at + 8, true) & 1) !== 0;
  return { name, method, encrypted, ...sizes };
}

/** Where the central directory lies, from the end record (4.3.16) or its zip64 form (4.3.14). */
function findDirectory(view: DataView): { begin: number; end: number; count: number } {
  let at = view.byteLength - END_RECORD_BYTES;
  const lowest = Math.max(0, at - MAX_COMMENT_BYTES);
  while (at >= lowest && view.getUint32(at, true) !== END_RECORD) at--;
  if (at < lowest) throw damaged('the zip archive has no directory at its end');
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let begin = view.getUint32(at + 16, true);
  if (count === 0xffff || size === 0xffffffff || begin === 0xffffffff) {
    const locator = at - 20;
    if (locator < 0 || view.getUint32(locator, true) !== END_LOCATOR_64) throw damaged('the zip64 locator is missing');
    const record = Number(view.getBigUint64(locator + 8, true));
    if (record + 56 > locator || view.getUint32(record, true) !== END_RECORD_64) {
      throw damaged('the zip64 end record is missing');
    }
    count = Number(view.getBigUint64(record + 32, true));
    size = Number(view.getBigUint64(record + 40, true));
    begin = Number(view.getBigUint64(record + 48, true));
  }
  if (begin + size > at) throw damaged(`the zip directory claims bytes ${begin} to ${begin + size} of ${at}`);
  return { begin, end: begin + size, count };
}
