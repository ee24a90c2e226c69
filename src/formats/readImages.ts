import { baseName } from './dataFiles.ts';
import type { FindFile } from './dataFiles.ts';
import { isDicom } from './dicomDataSet.ts';
import { findDicomImages } from './dicomSeries.ts';
import type { Findings, FoundImage } from './foundImage.ts';
import { imageTitle, plainText } from './guard.ts';
import { analyzeDataFiles, isAnalyze, readAnalyze } from './readAnalyze.ts';
import { isJpeg, readJpeg } from './readJpeg.ts';
import { isMetaImage, metaImageDataFiles, readMetaImage } from './readMetaImage.ts';
import { isNifti, niftiDataFiles, readNifti } from './readNifti.ts';
import { isNpy, readNpy } from './readNpy.ts';
import { isNrrd, nrrdDataFiles, readNrrd } from './readNrrd.ts';
import { isPng, readPng } from './readPng.ts';
import { isTiff, readTiff } from './readTiff.ts';
import { isZip, readZip } from './readZip.ts';
import { FormatError } from './volume.ts';
import type { FormatName, NamedBytes, SourceFile, Volume } from './volume.ts';

/** A format whose files are one image each; a new one is a new entry of the table. */
interface SingleFormat {
  readonly name: FormatName;
  /** By content, never by name; `head` is the first 4 KiB. */
  readonly matches: (head: Uint8Array) => boolean;
  readonly read: (file: NamedBytes, find: FindFile) => Volume | Promise<Volume>;
  /** Names of the files that hold the voxels of a detached header. */
  readonly dataFiles?: (header: NamedBytes) => readonly string[];
}

const SINGLE_FORMATS: readonly SingleFormat[] = [
  { name: 'nifti', matches: isNifti, read: readNifti, dataFiles: niftiDataFiles },
  { name: 'analyze', matches: isAnalyze, read: readAnalyze, dataFiles: analyzeDataFiles },
  { name: 'nrrd', matches: isNrrd, read: readNrrd, dataFiles: nrrdDataFiles },
  { name: 'metaimage', matches: isMetaImage, read: readMetaImage, dataFiles: metaImageDataFiles },
  { name: 'png', matches: isPng, read: readPng },
  { name: 'jpeg', matches: isJpeg, read: readJpeg },
  { name: 'tiff', matches: isTiff, read: readTiff },
  { name: 'npy', matches: isNpy, read: readNpy },
];

/** For sentences: what can be opened. */
export const SUPPORTED =
  'DICOM (files, folders and zips), NIfTI, Analyze, NRRD, MetaImage, PNG, JPEG, TIFF and npy';

/** Enough for every format's signature, and for a gzipped NIfTI header. */
const HEAD = 4096;
/** Heads and small files are read this many at a time. */
const AT_ONCE = 16;
/** A detached header is text; longer ones are read whole only once they are opened. */
const MAX_HEADER = 2 ** 20;
/** For a thumbnail, larger files than this are not read whole. */
const MAX_PREVIEW = 2 ** 28;
/** Files that lie about in folders of images and say nothing about them. */
const CLUTTER = /^(\.ds_store|thumbs\.db|desktop\.ini|\._.*|lockfile|version)$/i;

const plainName = (path: string): string => baseName(path).toLowerCase();
const folderOf = (path: string): string => path.slice(0, path.length - baseName(path).length);

/** Names for a sentence, at most three of them. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => plainText(baseName(name)));
  return `${shown.join(', ')}${names.length > 3 ? `, and ${names.length - 3} more` : ''}`;
}

async function inBatches<Item, Result>(
  items: readonly Item[], work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...await Promise.all(items.slice(start, start + AT_ONCE).map(work)));
  }
  return results;
}

/** A file of the drop or of an archive in it. */
interface Entry {
  readonly file: SourceFile;
  readonly head: Uint8Array;
}

/** Files with their heads; archives are replaced by what is in them. */
async function withHeads(files: readonly SourceFile[], depth = 0): Promise<Entry[]> {
  const wanted = files.filter((file) => files.length === 1 || !CLUTTER.test(baseName(file.name)));
  const heads = await inBatches(wanted, async (file) => ({ file, head: await file.bytes(HEAD) }));
  const all: Entry[] = [];
  for (const entry of heads) {
    if (!isZip(entry.head)) all.push(entry);
    else if (depth === 0) all.push(...await withHeads(await readZip(entry.file), 1));
    else throw new FormatError(`zip: ${plainText(baseName(entry.file.name))} lies in another zip; unpack the outer one`);
  }
  return all;
}

/** The middle slice of a volume that was read whole, its own memory. */
function middleSlice(volume: Volume): Volume {
  const size = volume.rows * volume.columns;
  const at = Math.floor(volume.slices / volume.times / 2) * size;
  return { ...volume, slices: 1, times: 1, data: volume.data.slice(at, at + size) };
}

function foundImage(format: SingleFormat, file: SourceFile, find: FindFile): FoundImage {
  const read = async (): Promise<Volume> => format.read({ name: file.name, bytes: await file.bytes() }, find);
  return {
    title: imageTitle(file.name),
    format: format.name,
    modality: null,
    size: null,
    files: 1,
    read,
    async preview() {
      if (file.size > MAX_PREVIEW) throw new FormatError('open: this file is too large for a preview; open it itself');
      return middleSlice(await read());
    },
  };
}

/** Which of the files are images of which format. */
interface Sorted {
  readonly dicom: readonly SourceFile[];
  readonly singles: ReadonlyMap<SingleFormat, readonly SourceFile[]>;
  /** Neither images nor another image's voxels. */
  readonly unknown: readonly SourceFile[];
}

async function sortFiles(entries: readonly Entry[]): Promise<Sorted> {
  const dicom: SourceFile[] = [];
  const singles = new Map(SINGLE_FORMATS.map((format) => [format, [] as SourceFile[]]));
  const unknown: SourceFile[] = [];
  const partners = new Set<string>();
  for (const { file, head } of entries) {
    const format = isDicom(head) ? null : SINGLE_FORMATS.find(({ matches }) => matches(head));
    if (format === null) dicom.push(file);
    else if (format === undefined) unknown.push(file);
    else singles.get(format)?.push(file);
    if (!format?.dataFiles || file.size > MAX_HEADER) continue;
    const header = { name: file.name, bytes: await file.bytes() };
    for (const name of format.dataFiles(header)) partners.add(plainName(name));
  }
  // A data file may happen to look like an image of its own.
  const own = (files: readonly SourceFile[]): SourceFile[] => files.filter((file) => !partners.has(plainName(file.name)));
  return { dicom, singles: new Map([...singles].map(([format, files]) => [format, own(files)])), unknown: own(unknown) };
}

/**
 * Finds the images among whatever was dropped, each file recognised by its content: DICOM series, volumes, pictures,
 * and the same within zip archives. The format with most files comes first.
 *
 * @param beside files that are no images by themselves here, but may hold the voxels of a detached header
 * @throws FormatError where nothing is an image: what was found and what is supported
 */
export async function findImages(files: readonly SourceFile[], beside: readonly SourceFile[] = []): Promise<Findings> {
  const entries = await withHeads(files);
  const { dicom, singles, unknown } = await sortFiles(entries);
  /** Folders that a header names are never followed; of files of that name, the one beside the header wins. */
  const findBeside = (header: SourceFile): FindFile => async (name) => {
    const named = [...entries.map(({ file }) => file), ...beside].filter((file) => plainName(file.name) === plainName(name));
    const nearest = named.find((file) => folderOf(file.name) === folderOf(header.name)) ?? named[0];
    return nearest ? nearest.bytes() : null;
  };
  const groups = [...singles].map(([format, members]) =>
    ({ files: members.length, images: members.map((file) => foundImage(format, file, findBeside(file))) }));
  const notices: string[] = [];
  let refusal: FormatError | null = null;
  if (dicom.length > 0) {
    try {
      const found = await findDicomImages(dicom);
      groups.unshift({ files: dicom.length, images: [...found.images] });
      notices.push(...found.notices);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refusal = error;
    }
  }
  const images = groups.sort((a, b) => b.files - a.files).flatMap((group) => group.images);
  if (images.length === 0) throw refusal ?? nothingFound(entries.map(({ file }) => file.name));
  if (refusal) notices.push(`DICOM files were left out: ${refusal.message}.`);
  if (unknown.length > 0) notices.push(`Not an image and left out: ${listed(unknown.map(({ name }) => name))}.`);
  return { images, notices };
}

function nothingFound(names: readonly string[]): FormatError {
  const what = names.length === 0 ? 'no image was found' : `${listed(names)} is no image that can be read`;
  return new FormatError(`open: ${what}; supported are ${SUPPORTED}`);
}

/**
 * Reads whatever was given as one volume: the first image of `findImages` that can be read. What is left out, and why,
 * is told in `notices`.
 *
 * @throws FormatError where nothing can be read: the first image's own reason, or what is supported
 */
export async function readImages(files: readonly SourceFile[]): Promise<Volume> {
  return readFirst(await findImages(files));
}

/** The first of the images that can be read, as `readImages` does. */
export async function readFirst({ images, notices }: Findings): Promise<Volume> {
  const failed: string[] = [];
  let refusal: FormatError | null = null;
  for (const [index, image] of images.entries()) {
    let volume: Volume;
    try {
      volume = await image.read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refusal ??= error;
      failed.push(`${image.title} was left out: ${error.message}.`);
      continue;
    }
    const others = images.slice(index + 1).map(({ title }) => title);
    const left = others.length > 0 ? [`Only one of ${images.length} images is opened; left out: ${listed(others)}.`] : [];
    return { ...volume, notices: [...failed, ...left, ...notices, ...volume.notices] };
  }
  throw refusal ?? nothingFound([]);
}
