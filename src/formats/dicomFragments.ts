import { itemsWithin } from './dicomItems.ts';
import type { Span } from './dicomItems.ts';
import { FormatError } from './volume.ts';

/** The encapsulated pixel data of a file, cut into frames. */
export interface EncapsulatedFrames {
  readonly count: number;
  /** All fragments of a frame, joined. @throws FormatError where the file has no such frame */
  frame(index: number): Uint8Array;
}

/** What a stream of the JPEG family begins with: SOI of JPEG and JPEG-LS, SOC of JPEG 2000, its JP2 wrapping. */
const STREAM_STARTS: readonly (readonly number[])[] = [
  [0xff, 0xd8, 0xff], [0xff, 0x4f, 0xff, 0x51], [0, 0, 0, 0x0c, 0x6a, 0x50],
];

/** Tables of offsets beside the pixel data (PS3.3, C.7.6.3.1.8): 64 bits a frame. */
export interface ExtendedOffsets {
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * Cuts encapsulated pixel data (PS3.5, A.4) into frames: by the extended or basic offset table where there is one that
 * fits the fragments; otherwise one fragment a frame, all fragments for a single frame, or, for several fragments a
 * frame, where streams of the JPEG family begin.
 *
 * @param start of the pixel data's value, the item of the basic offset table
 * @param frames as the header declares
 * @throws FormatError where the fragments are cut short, or cannot be told apart
 */
export function encapsulatedFrames(
  bytes: Uint8Array, start: number, frames: number, extended: ExtendedOffsets | null,
): EncapsulatedFrames {
  const [table, ...fragments] = itemsWithin(bytes, start);
  if (!table || fragments.length === 0) {
    throw new FormatError('dicom: the compressed pixel data is empty or cut short; export or copy the file again');
  }
  const starts = (extended && extendedStarts(fragments, extended, frames))
    ?? basicStarts(bytes, table, fragments, frames)
    ?? countedStarts(bytes, fragments, frames);
  const lengths = extended && starts.length === frames ? extended.lengths : [];
  return {
    count: starts.length,
    frame(index) {
      const from = starts[index];
      if (from === undefined) {
        throw new FormatError(
          `dicom: frame ${index + 1} of ${frames} is not there, the compressed pixel data has ${starts.length}; ` +
          'export or copy the file again',
        );
      }
      const joined = join(bytes, fragments.slice(from, starts[index + 1] ?? fragments.length));
      const length = lengths[index] ?? joined.length;
      return length > 0 && length < joined.length ? joined.subarray(0, length) : joined;
    },
  };
}

function join(bytes: Uint8Array, fragments: readonly Span[]): Uint8Array {
  const [first] = fragments;
  if (first && fragments.length === 1) return bytes.subarray(first.start, first.end);
  const joined = new Uint8Array(fragments.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  for (const { start, end } of fragments) {
    joined.set(bytes.subarray(start, end), at);
    at += end - start;
  }
  return joined;
}

/** Offsets from the first fragment's item header → index of each frame's first fragment; null where one hits none. */
function startsAt(fragments: readonly Span[], offsets: readonly number[]): number[] | null {
  const [first] = fragments;
  if (!first) return null;
  const byOffset = new Map(fragments.map(({ start }, index) => [start - first.start, index]));
  const starts = offsets.map((offset) => byOffset.get(offset) ?? -1);
  return starts[0] === 0 && starts.every((value, index) => index === 0 || value > (starts[index - 1] ?? 0))
    ? starts : null;
}

function extendedStarts(fragments: readonly Span[], { offsets }: ExtendedOffsets, frames: number): number[] | null {
  return offsets.length === frames ? startsAt(fragments, offsets) : null;
}

function basicStarts(
  bytes: Uint8Array, table: Span, fragments: readonly Span[], frames: number,
): number[] | null {
  if (table.end - table.start !== 4 * frames) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = Array.from({ length: frames }, (_, index) => view.getUint32(table.start + 4 * index, true));
  return startsAt(fragments, offsets);
}

/** Without a table. */
function countedStarts(bytes: Uint8Array, fragments: readonly Span[], frames: number): number[] {
  if (frames === 1) return [0];
  // Fewer fragments than frames: those that are there.
  if (fragments.length <= frames) return fragments.map((_, index) => index);
  const begins = ({ start, end }: Span): boolean => STREAM_STARTS.some((signature) =>
    start + signature.length <= end && signature.every((byte, index) => bytes[start + index] === byte));
  const starts = fragments.flatMap((fragment, index) => (begins(fragment) ? [index] : []));
  if (starts[0] !== 0 || starts.length > frames) {
    throw new FormatError(
      `dicom: ${fragments.length} compressed pieces without an offset table cannot be assigned to ${frames} frames; ` +
      'convert the file to Explicit VR Little Endian (for example "gdcmconv --raw")',
    );
  }
  return starts;
}
