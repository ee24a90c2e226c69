import { directoryNotices, readDirectory } from './dicomDirectory.ts';
import type { DicomDirectory } from './dicomDirectory.ts';
import { plural, stackFrames, stackInFileOrder } from './dicomGeometry.ts';
import type { DicomStack } from './dicomGeometry.ts';
import { framesIn, isDirectory, readHead } from './dicomHeader.ts';
import type { DicomFrame } from './dicomHeader.ts';
import { readMiddleSlice, readVolume, refusalNotice, titleOf } from './dicomVolume.ts';
import type { DicomImage, Refusal } from './dicomVolume.ts';
import type { Findings, FoundImage } from './foundImage.ts';
import { imageTitle } from './guard.ts';
import { FormatError } from './volume.ts';
import type { SourceFile } from './volume.ts';

/** Orientations whose cosines, and pixel sizes whose ratio, differ by less belong to one stack. */
const SAME_GRID = 1e-3;
/** Orientations, leftovers or kinds that a series is split into; more are no stacks that anybody wants in a list. */
const MAX_STACKS = 64;
/** Frames that are stacked again and again until none is left over; more are shown as they follow each other. */
const MAX_LEFTOVERS = 1024;
/** Heads are read this many at a time. */
const AT_ONCE = 16;

function groupByKey<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

interface Contents {
  readonly frames: readonly DicomFrame[];
  readonly directories: readonly DicomDirectory[];
  readonly refused: readonly Refusal[];
}

/** Reads every file's head. */
async function readContents(files: readonly SourceFile[]): Promise<Contents> {
  const frames: DicomFrame[] = [];
  const directories: DicomDirectory[] = [];
  const refused: Refusal[] = [];
  const readOne = async (file: SourceFile): Promise<void> => {
    try {
      const parsed = await readHead(file);
      if (isDirectory(parsed)) directories.push(readDirectory(file.name, parsed));
      else for (const frame of framesIn(file, parsed)) frames.push(frame);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refused.push({ file, error });
    }
  };
  for (let start = 0; start < files.length; start += AT_ONCE) {
    await Promise.all(files.slice(start, start + AT_ONCE).map(readOne));
  }
  return { frames, directories, refused };
}

/** What tells two frames of a series apart that do not belong to one stack; null where they do. */
function difference(a: DicomFrame, b: DicomFrame): string | null {
  const [one, other] = [a.header.layout, b.header.layout];
  if (one.rows !== other.rows || one.columns !== other.columns) return 'size';
  if (one.colour !== other.colour) return 'colour';
  if ((a.position === null) !== (b.position === null)) return 'position';
  if ((a.orientation === null) !== (b.orientation === null)) return 'orientation';
  if (a.orientation && b.orientation && [0, 1].some((axis) =>
    vectorsDiffer(a.orientation?.[axis] ?? [], b.orientation?.[axis] ?? []))) return 'orientation';
  if ((a.pixelSpacing === null) !== (b.pixelSpacing === null)) return 'pixel size';
  const [[rows, columns], [otherRows, otherColumns]] = [a.pixelSpacing ?? [1, 1], b.pixelSpacing ?? [1, 1]];
  return vectorsDiffer([rows / otherRows, columns / otherColumns], [1, 1]) ? 'pixel size' : null;
}

const vectorsDiffer = (a: readonly number[], b: readonly number[]): boolean =>
  a.some((value, index) => Math.abs(value - (b[index] ?? 0)) > SAME_GRID);

/** What sets images of one place apart that are no time points: stacks, and magnitude from phase. */
const KINDS: readonly ((frame: DicomFrame) => string)[] = [(frame) => frame.stack, (frame) => frame.imageType];

/** Stacks of one grid: one, unless frames share places and differ in kind, or some are left over. */
function stacksOf(frames: readonly DicomFrame[]): DicomStack<DicomFrame>[] {
  const stack = stackFrames(frames);
  // Segments overlap as they like; the frames of a segmentation are shown as they follow each other.
  if (stack.rest.length > 0 && frames.every(({ header }) => header.modalityName === 'SEG')) {
    return [stackInFileOrder(frames)];
  }
  if (stack.times > 1 || stack.rest.length > 0) {
    for (const kind of KINDS) {
      const groups = groupByKey(frames, kind);
      if (groups.length > 1 && groups.length <= MAX_STACKS) return groups.flatMap(stacksOf);
    }
  }
  const stacks = [stack];
  let { rest } = stack;
  while (rest.length > 0 && rest.length <= MAX_LEFTOVERS && stacks.length < MAX_STACKS) {
    const next = stackFrames(rest);
    stacks.push(next);
    rest = next.rest;
  }
  return rest.length > 0 ? [...stacks, stackInFileOrder(rest)] : stacks;
}

/** Frames by size, orientation and pixel size; those of too many orientations as they follow each other. */
function stacksOfAll(frames: readonly DicomFrame[]): DicomStack<DicomFrame>[] {
  const sizes = groupByKey(frames, ({ header: { layout } }) => [layout.columns, layout.rows, layout.colour].join());
  return sizes.flatMap((sameSize) => {
    const grids: DicomFrame[][] = [];
    const others: DicomFrame[] = [];
    for (const frame of sameSize) {
      const grid = grids.find(([first]) => first && difference(first, frame) === null);
      if (grid) grid.push(frame);
      else if (grids.length < MAX_STACKS) grids.push([frame]);
      else others.push(frame);
    }
    const stacks = grids.flatMap(stacksOf).sort((a, b) => b.frames.length - a.frames.length);
    for (const { frames: few } of stacks.splice(MAX_STACKS)) others.push(...few);
    return others.length > 0 ? [...stacks, stackInFileOrder(others)] : stacks;
  });
}

/** Sentences where the headers announce another number of images than there are. */
function countNotices(stack: DicomStack<DicomFrame>): string[] {
  const announced = new Set(stack.frames.map(({ header }) => header.announced));
  const [count] = announced;
  const places = stack.frames.length / stack.times;
  if (announced.size !== 1 || count === null || count === undefined || count <= places) return [];
  return [`The headers announce ${plural(count, 'slice')}, ${places} ${places === 1 ? 'is' : 'are'} here.`];
}

/** The images of one series. */
function imagesOf(series: readonly DicomFrame[]): DicomImage[] {
  const files = new Set(series.map(({ header }) => header));
  const unique = new Map([...files].map((header) => [header.sopInstance || header, header]));
  const kept = new Set(unique.values());
  const twice = files.size - kept.size;
  const stacks = stacksOfAll(series.filter(({ header }) => kept.has(header)));
  const shared = twice > 0 ? [`${plural(twice, 'file')} came twice and counted once.`] : [];
  if (stacks.length > 1) {
    const [first] = stacks[0]?.frames ?? [];
    const differences = new Set(stacks.slice(1).map(({ frames: [other] }) =>
      (first && other && difference(first, other)) ?? 'place or kind'));
    shared.push(
      `The series holds ${stacks.length} images that differ in ${[...differences].join(', ')}; ` +
      'each is listed by itself.',
    );
  }
  return stacks.map((stack) => ({ stack, notices: [...shared, ...countNotices(stack)] }));
}

function foundImage(image: DicomImage): FoundImage | null {
  const { frames, times } = image.stack;
  const [first] = frames;
  if (!first) return null;
  const { columns, rows } = first.header.layout;
  return {
    title: titleOf(first),
    format: 'dicom',
    modality: first.header.modality,
    size: { columns, rows, slices: frames.length, times },
    files: new Set(frames.map(({ header }) => header)).size,
    read: (progress) => readVolume(image, progress),
    preview: () => readMiddleSlice(image),
  };
}

/**
 * Finds the images among DICOM files by their heads alone: each series, split where size, orientation or pixel size
 * change (localisers) and where images of one place are of different kinds, is ordered by position along the slice
 * normal; several images of one place become time points. Files are read again, one at a time, when an image is.
 *
 * @throws FormatError where no file is a readable image: the first one's reason, or what a DICOMDIR lists
 */
export async function findDicomImages(files: readonly SourceFile[]): Promise<Findings> {
  const { frames, directories, refused } = await readContents(files);
  const listed = directories.flatMap((directory) => directoryNotices(directory, files.map(({ name }) => name)));
  const images = groupByKey(frames, ({ header }) => header.series)
    .flatMap(imagesOf)
    .sort((a, b) => b.stack.frames.length - a.stack.frames.length)
    .flatMap((image) => foundImage(image) ?? []);
  if (images.length === 0) {
    const [directory] = directories;
    throw refused[0]?.error ?? new FormatError(directory
      ? `dicom: ${imageTitle(directory.name)} is an index that lists ${plural(directory.images.length, 'image')}; ` +
        'open the folder that holds it'
      : 'dicom: no file was given; open at least one image');
  }
  return { images, notices: [...refusalNotice(refused), ...listed] };
}
