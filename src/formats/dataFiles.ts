import { plainText } from './guard.ts';
import { FormatError } from './volume.ts';

/** Gives the bytes of another file of the drop by its name without folders; null where there is none. */
export type FindFile = (name: string) => Promise<Uint8Array | null>;

/** More files than any volume has slices. */
const MOST_FILES = 65_536;

/** A name without its folders: headers are never followed out of the drop. */
export const baseName = (path: string): string => path.split(/[\\/]/).pop() ?? '';

/**
 * The names of a numbered series, as in C's printf: "slice%03d.raw", 1, 4, 1 → slice001.raw … slice004.raw.
 *
 * @throws FormatError where the pattern has no single %d, or the numbers make no sense
 */
export function numberedNames(
  operation: string, pattern: string, first: number, last: number, step: number,
): string[] {
  const parts = /^([^%]*)%(0?)(\d{0,2})[di]([^%]*)$/.exec(pattern);
  const count = Math.floor((last - first) / step) + 1;
  if (!parts || ![first, last, step].every(Number.isSafeInteger) || !(count >= 1 && count <= MOST_FILES)) {
    throw new FormatError(
      `${operation}: "${plainText(pattern)}" does not name 1 to ${MOST_FILES} data files; ` +
      'save the image as one file',
    );
  }
  const [, before = '', zero = '', width = '', after = ''] = parts;
  return Array.from({ length: count }, (_, index) => {
    const number = String(first + index * step).padStart(Number(width), zero === '0' ? '0' : ' ');
    return baseName(`${before}${number}${after}`);
  });
}

/** Names without folders. @throws FormatError where there are too many, or one stands twice */
export function checkedNames(operation: string, names: readonly string[]): string[] {
  const bare = names.map((name) => baseName(name.trim()));
  if (bare.length === 0 || bare.length > MOST_FILES || bare.includes('') || new Set(bare).size < bare.length) {
    throw new FormatError(`${operation}: the header does not name its data files properly; save the image as one file`);
  }
  return bare;
}

/** What a header names; nothing where it cannot be read, which reading it will say. */
export function namedBy(names: () => readonly string[]): readonly string[] {
  try {
    return names();
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** All data files. @throws FormatError naming the first that is missing */
export async function findAll(operation: string, names: readonly string[], find: FindFile): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const name of names) {
    const bytes = await find(name);
    if (!bytes) {
      throw new FormatError(
        `${operation}: this header's voxels lie in ${plainText(name)}, which is not there; open both files together`,
      );
    }
    found.push(bytes);
  }
  return found;
}
