import { text } from './dicomDataSet.ts';
import type { DicomDataSet } from './dicomDataSet.ts';
import { itemsOf } from './dicomElements.ts';
import { plainText } from './guard.ts';

/** The index of a medium: which files it says there are. */
export interface DicomDirectory {
  /** The index file's own path. */
  readonly name: string;
  /** Paths of the images below the folder of the index, with "/" between the parts. */
  readonly images: readonly string[];
}

/**
 * Reads a DICOMDIR (PS3.3, annex F): the Referenced File ID (0004,1500) of every image record in use. The records are
 * taken as they lie in the Directory Record Sequence (0004,1220), each once; the offsets that chain them to a tree are
 * not followed, so that cyclic or dangling ones do no harm.
 */
export function readDirectory(name: string, { elements }: DicomDataSet): DicomDirectory {
  const images = itemsOf(elements, 'x00041220').flatMap(({ dataSet }) => {
    const inUse = (dataSet.elements['x00041410']?.length ?? 0) < 2 || dataSet.uint16('x00041410') !== 0;
    const path = text(dataSet, 'x00041500').split('\\').map((part) => part.trim()).filter(Boolean).join('/');
    return inUse && path !== '' && text(dataSet, 'x00041430') === 'IMAGE' ? [path] : [];
  });
  return { name, images };
}

/** Comparable whatever the case, the separators, and an extension or version number that a file system added. */
const comparable = (path: string): string =>
  path.replaceAll('\\', '/').toLowerCase().replace(/;\d+$/, '').replace(/\.(dcm|dicom)$/, '');

/** A sentence where files that the index lists are not among those given. */
export function directoryNotices({ name, images }: DicomDirectory, given: readonly string[]): string[] {
  const present = new Set(given.flatMap((path) => {
    const parts = comparable(path).split('/');
    return parts.map((_, index) => parts.slice(index).join('/'));
  }));
  const missing = images.filter((path) => !present.has(comparable(path)));
  if (missing.length === 0) return [];
  const shown = missing.slice(0, 3).map((path) => plainText(path, 64)).join(', ');
  const more = missing.length > 3 ? `, and ${missing.length - 3} more` : '';
  const base = plainText(name.split(/[\\/]/).pop() ?? '');
  return [`${base} lists ${images.length} images, of which ${missing.length} are not here: ${shown}${more}.`];
}
