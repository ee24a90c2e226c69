import { firstItem } from './dicomElements.ts';
import type { ElementRun } from './dicomElements.ts';
import { FormatError } from './volume.ts';

/** A look-up table: stored value → value, constant beyond both ends (PS3.3, C.11.1.1). */
export interface Lookup {
  /** The stored value that the first entry stands for. */
  readonly first: number;
  readonly entries: Float32Array;
}

interface Descriptor { readonly count: number; readonly first: number; readonly bits: number }

/** Number of entries, first stored value mapped (signed as the pixels are), bits an entry; null where absent. */
function descriptorOf({ dataSet }: ElementRun, tag: string, signed: boolean): Descriptor | null {
  if ((dataSet.elements[tag]?.length ?? 0) < 6) return null;
  const first = (signed ? dataSet.int16(tag, 1) : dataSet.uint16(tag, 1)) ?? 0;
  // 0 stands for 65536, which the field cannot hold.
  return { count: dataSet.uint16(tag, 0) || 0x10000, first, bits: dataSet.uint16(tag, 2) ?? 16 };
}

/** Entries as words or, where the element is too short for that, as bytes. */
function entriesOf({ dataSet }: ElementRun, tag: string, { count, bits }: Descriptor): Uint16Array | null {
  const element = dataSet.elements[tag];
  if (!element || element.length < count) return null;
  const entries = new Uint16Array(count);
  const words = element.length >= 2 * count;
  for (let index = 0; index < count; index += 1) {
    entries[index] = words ? dataSet.uint16(tag, index) ?? 0 : dataSet.byteArray[element.dataOffset + index] ?? 0;
  }
  // 8-bit entries in words: some writers use the upper byte.
  if (bits === 8 && words && entries.some((entry) => entry > 0xff)) {
    return entries.map((entry) => entry >> 8);
  }
  return entries;
}

/**
 * Expands segmented palette data: discrete runs (0), linear ramps to an end value (1), and repeats of earlier segments
 * (2) (PS3.3, C.7.9.2).
 *
 * @throws FormatError where the segments do not give `count` entries
 */
function expandSegments({ dataSet }: ElementRun, tag: string, { count }: Descriptor): Uint16Array | null {
  const element = dataSet.elements[tag];
  if (!element) return null;
  const words = Math.floor(element.length / 2);
  const word = (at: number): number => (at < words ? dataSet.uint16(tag, at) ?? 0 : 0);
  const entries = new Uint16Array(count);
  let filled = 0;
  /** Where each segment begins by its byte offset, for repeats. */
  function expand(from: number, segments: number, nested: boolean): void {
    let at = from;
    for (let done = 0; done < segments && at + 1 < words && filled < count; done += 1) {
      const [kind, length] = [word(at), word(at + 1)];
      if (kind === 0) {
        for (let index = 0; index < length && filled < count; index += 1) entries[filled++] = word(at + 2 + index);
        at += 2 + length;
      } else if (kind === 1) {
        const start = filled > 0 ? entries[filled - 1] ?? 0 : 0;
        const step = (word(at + 2) - start) / (length || 1);
        for (let index = 1; index <= length && filled < count; index += 1) {
          entries[filled++] = Math.round(start + step * index);
        }
        at += 3;
      } else if (kind === 2 && !nested) {
        expand((word(at + 2) + word(at + 3) * 0x10000) / 2, length, true);
        at += 4;
      } else {
        return;
      }
    }
  }
  expand(0, words, false);
  if (filled < count) {
    throw new FormatError(
      `dicom: the segmented palette gives ${filled} of ${count} colours; export the image as RGB or greyscale`,
    );
  }
  return entries;
}

/** The Modality LUT (0028,3000); null where there is none that can be used. */
export function modalityLookup(run: ElementRun, signed: boolean): Lookup | null {
  const item = firstItem(run, 'x00283000');
  const descriptor = item && descriptorOf(item, 'x00283002', signed);
  const entries = item && descriptor && entriesOf(item, 'x00283006', descriptor);
  return entries ? { first: descriptor.first, entries: Float32Array.from(entries) } : null;
}

/** Modality LUT Type (0028,3004), the unit of what the look-up table gives; '' without a table. */
export function modalityLookupType(run: ElementRun): string {
  return firstItem(run, 'x00283000')?.dataSet.string('x00283004')?.trim() ?? '';
}

/** Red, green and blue of a PALETTE COLOR image (0028,1101…1203). */
export interface Palette {
  readonly first: number;
  readonly red: Uint16Array;
  readonly green: Uint16Array;
  readonly blue: Uint16Array;
}

/** @throws FormatError where the image has no palette */
export function paletteOf(run: ElementRun, signed: boolean): Palette {
  const [red, green, blue] = [1, 2, 3].map((channel) => {
    const descriptor = descriptorOf(run, `x0028110${channel}`, signed);
    const entries = descriptor && (entriesOf(run, `x0028120${channel}`, descriptor)
      ?? expandSegments(run, `x0028122${channel}`, descriptor));
    return entries ? { first: descriptor.first, entries } : null;
  });
  if (!red || !green || !blue || red.entries.length !== green.entries.length
    || red.entries.length !== blue.entries.length) {
    throw new FormatError(
      'dicom: the image refers to a colour palette that is missing or damaged; export it as RGB or greyscale',
    );
  }
  return { first: red.first, red: red.entries, green: green.entries, blue: blue.entries };
}
