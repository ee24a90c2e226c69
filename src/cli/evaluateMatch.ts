import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { imageTitle } from '../formats/guard.ts';
import { FormatError } from '../formats/volume.ts';
import { RefusedError } from './errors.ts';
import { findInputs } from './files.ts';
import { note } from './terminal.ts';

/** One image in all the places that were named, the reference's first. */
export interface MatchedImage {
  readonly name: string;
  /** What to read for each place: one file, the files of one image, or a folder. */
  readonly paths: readonly (readonly string[])[];
}

/**
 * Finds what belongs together: files, or folders of one image each (a DICOM series), as they are; images in folders by
 * the names of their files without endings, of their folders where each is a series.
 *
 * @param places the reference's first
 * @throws RefusedError where a place lacks an image of the reference, FormatError where there is no image
 */
export async function matchImages(places: readonly string[]): Promise<MatchedImage[]> {
  const single: boolean[] = [];
  for (const place of places) single.push(!(await isFolder(place)) || (await findInputs([place])).images.length === 1);
  if (single.every(Boolean)) return [{ name: imageTitle(places[0]!), paths: places.map((place) => [place]) }];

  const [references, ...others] = await Promise.all(places.map(imagesByName));
  for (const [index, images] of others.entries()) checkComplete(references!, images, places[index + 1]!);
  return [...references!].map(([name, files]) => (
    { name, paths: [files, ...others.map((images) => images.get(name)!)] }
  ));
}

function checkComplete(
  references: ReadonlyMap<string, unknown>, images: ReadonlyMap<string, unknown>, place: string,
): void {
  const missing = [...references.keys()].filter((name) => !images.has(name));
  if (missing.length > 0) {
    throw new RefusedError(
      `evaluate: ${place} has no image named ${missing[0]} (${missing.length} of ${references.size} references have ` +
        'no partner there); give both files one name',
    );
  }
  const further = images.size - references.size;
  if (further > 0) note(`${further} of ${images.size} images in ${place} have no reference and are left out`);
}

/** The images that lie directly in a folder, or a file alone; other files are passed over. */
async function imagesByName(place: string): Promise<Map<string, readonly string[]>> {
  if (!(await isFolder(place))) return new Map([[imageTitle(place), [place]]]);
  const files = new Map<string, string[]>();
  const names = (await readdir(place)).filter((name) => !name.startsWith('.')).sort();
  for (const name of names) {
    const title = imageTitle(basename(name));
    files.set(title, [...(files.get(title) ?? []), join(place, name)]);
  }
  const images = new Map<string, readonly string[]>();
  for (const [title, paths] of files) if (await holdsImage(paths)) images.set(title, paths);
  return images;
}

async function holdsImage(paths: readonly string[]): Promise<boolean> {
  try {
    return (await findInputs(paths)).images.length > 0;
  } catch (error) {
    // A read-me, a table, an empty folder.
    if (error instanceof FormatError || error instanceof RefusedError) return false;
    throw error;
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path)).isDirectory();
