import { stackSlices } from './dicomGeometry.ts';
import type { DicomStack } from './dicomGeometry.ts';
import { readDicomHeader } from './dicomHeader.ts';
import type { DicomHeader } from './dicomHeader.ts';
import { allocateVoxels, imageTitle, plainText } from './guard.ts';
import { checkFrames, decodeSlices } from './readDicom.ts';
import { FormatError } from './volume.ts';
import type { Modality, NamedBytes, Volume } from './volume.ts';

/** One series among the files of a drop. */
export interface DicomSeries {
  /** Series Instance UID (0020,000e); '' where the files have none. */
  readonly uid: string;
  /** For lists: series description, or modality and number; never the patient's name. */
  readonly title: string;
  readonly modality: Modality | null;
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly files: readonly NamedBytes[];
}

interface Sorted { readonly groups: readonly (readonly DicomHeader[])[]; readonly refused: readonly Refusal[] }
interface Refusal { readonly file: NamedBytes; readonly error: FormatError }

/** Orientations whose cosines differ by less belong to one stack. */
const SAME_DIRECTION = 1e-3;

function groupBy<Item>(items: readonly Item[], same: (a: Item, b: Item) => boolean): Item[][] {
  const groups: Item[][] = [];
  for (const item of items) {
    const group = groups.find(([first]) => first !== undefined && same(first, item));
    if (group) group.push(item);
    else groups.push([item]);
  }
  return groups.sort((a, b) => b.length - a.length);
}

function tryEach<Item, Result>(
  items: readonly Item[], fileOf: (item: Item) => NamedBytes, read: (item: Item) => Result,
): { results: Result[]; refused: Refusal[] } {
  const results: Result[] = [];
  const refused: Refusal[] = [];
  for (const item of items) {
    try {
      results.push(read(item));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refused.push({ file: fileOf(item), error });
    }
  }
  return { results, refused };
}

/** Series, largest first. */
function sortSeries(files: readonly NamedBytes[]): Sorted {
  const { results, refused } = tryEach(files, (file) => file, readDicomHeader);
  return { groups: groupBy(results, (a, b) => a.series === b.series), refused };
}

function titleOf(header: DicomHeader): string {
  if (header.seriesDescription) return plainText(header.seriesDescription, 64);
  if (header.seriesNumber !== null) return `${header.modalityName || 'DICOM'} series ${header.seriesNumber}`;
  return imageTitle(header.file.name);
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function refusalNotice(refused: readonly Refusal[]): string[] {
  const [first] = refused;
  if (!first) return [];
  const were = refused.length === 1 ? 'was' : 'were';
  return [`${plural(refused.length, 'file')} could not be read and ${were} left out; ` +
    `${imageTitle(first.file.name)}: ${first.error.message}.`];
}

function sameGrid(a: DicomHeader, b: DicomHeader): boolean {
  const turned = (a.orientation === null) !== (b.orientation === null)
    || (a.orientation ?? []).some((value, index) => Math.abs(value - (b.orientation?.[index] ?? 0)) > SAME_DIRECTION);
  return a.rows === b.rows && a.columns === b.columns && !turned;
}

/** The series among the files, most slices first; files that are no readable image are passed over. */
export function listSeries(files: readonly NamedBytes[]): DicomSeries[] {
  return sortSeries(files).groups.flatMap((headers) => {
    const [first] = headers;
    return first ? [{
      uid: first.series,
      title: titleOf(first),
      modality: first.modality,
      columns: first.columns,
      rows: first.rows,
      slices: headers.reduce((sum, header) => sum + header.frames, 0),
      files: headers.map((header) => header.file),
    }] : [];
  });
}

interface DecodedStack {
  readonly stack: DicomStack;
  readonly data: Float32Array;
  readonly refused: readonly Refusal[];
}

/** Orders slices and decodes each straight into its place; where some cannot be decoded, again without those. */
function decodeStack(headers: readonly DicomHeader[]): DecodedStack {
  const stack = stackSlices(headers);
  const [first] = stack.headers;
  if (!first) return { stack, data: new Float32Array(0), refused: [] };
  const size = first.rows * first.columns;
  const data = allocateVoxels('dicom', size * stack.headers.length);
  const { refused } = tryEach([...stack.headers.entries()], ([, header]) => header.file, ([index, header]) => {
    for (const slice of decodeSlices(header)) data.set(slice.data, index * size);
  });
  if (refused.length === 0) return { stack, data, refused };
  const files = new Set(refused.map(({ file }) => file));
  const rest = decodeStack(headers.filter((header) => !files.has(header.file)));
  return { ...rest, refused: [...refused, ...rest.refused] };
}

/**
 * Reads DICOM files as one volume: the series with most slices, ordered by position along the slice normal, in native
 * units (HU, Bq/mL or raw). Other series, other sizes or orientations within the series, doubled, missing and
 * unreadable slices are told in `notices`.
 *
 * @throws FormatError where no file can be read: the first one's reason
 */
export function readDicomSeries(files: readonly NamedBytes[]): Volume {
  const { groups, refused } = sortSeries(files);
  const [series, ...others] = groups;
  if (!series) throw refused[0]?.error ?? new FormatError('dicom: no file was given; open at least one image');
  const notices = refusalNotice(refused);
  if (others.length > 0) {
    const names = others.slice(0, 3).map(([header]) => `"${header ? titleOf(header) : ''}"`).join(', ');
    const more = others.length > 3 ? ', …' : '';
    notices.push(`The largest of ${groups.length} series is shown; left out: ${names}${more}.`);
  }
  const unique = [...new Map(series.map((header, index) => [header.sopInstance || index, header])).values()];
  if (unique.length < series.length) {
    notices.push(`${plural(series.length - unique.length, 'file')} came twice and counted once.`);
  }
  const [grid = [], ...otherGrids] = groupBy(unique, sameGrid);
  const odd = otherGrids.reduce((sum, group) => sum + group.length, 0);
  if (odd > 0) notices.push(`${plural(odd, 'slice')} of another size or orientation (localisers) left out.`);

  // Checked first, so that forged sizes are refused before they size the volume.
  const checked = tryEach(grid, (header) => header.file, (header) => {
    checkFrames(header);
    return header;
  });
  const { stack, data, refused: broken } = decodeStack(checked.results);
  const undecoded = [...checked.refused, ...broken];
  notices.push(...refusalNotice(undecoded));
  const [first] = stack.headers;
  if (!first) throw undecoded[0]?.error ?? new FormatError('dicom: the series holds no image; open another one');
  const units = stack.headers.every((header) => header.units === first.units) ? first.units : 'raw';
  return {
    name: titleOf(first),
    format: 'dicom',
    modality: first.modality,
    units,
    columns: first.columns,
    rows: first.rows,
    slices: stack.headers.length,
    data,
    spacing: stack.spacing,
    affine: stack.affine,
    origin: { format: 'dicom', files: stack.headers.map((header) => header.file) },
    notices: [...notices, ...new Set(stack.headers.flatMap((header) => header.notices)), ...stack.notices],
  };
}
