import { isDicom } from './dicomDataSet.ts';
import { readDicomSeries } from './dicomSeries.ts';
import { imageTitle, plainText } from './guard.ts';
import { isNifti, isNiftiPair, readNifti } from './readNifti.ts';
import { isPng, readPng } from './readPng.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

/** One readable format; a new one is a new entry of the table. */
interface ImageFormat {
  readonly name: string;
  /** By content, never by name. */
  readonly matches: (bytes: Uint8Array) => boolean;
  /** Whether several files make one volume; otherwise each file is one. */
  readonly series: boolean;
  /** @param all everything that was dropped, for files that come in pairs */
  readonly read: (files: readonly NamedBytes[], all: readonly NamedBytes[]) => Volume;
}

/** In the order that wins where two formats have equally many files. */
const FORMATS: readonly ImageFormat[] = [
  { name: 'DICOM', matches: isDicom, series: true, read: readDicomSeries },
  {
    name: 'NIfTI', matches: isNifti, series: false,
    read: ([file], all) => readNifti(only(file), imageOf(only(file), all)),
  },
  { name: 'PNG', matches: isPng, series: false, read: ([file]) => readPng(only(file)) },
];

/** Files that lie about in folders of images and say nothing about them. */
const CLUTTER = /^(\.ds_store|thumbs\.db|desktop\.ini|dicomdir|\._.*|lockfile|version)$/i;

const baseName = (path: string): string => path.split(/[\\/]/).pop() ?? '';
const stem = (path: string): string => path.replace(/\.gz$/i, '').replace(/\.(hdr|img)$/i, '').toLowerCase();

function only(file: NamedBytes | undefined): NamedBytes {
  if (!file) throw new FormatError('open: no file was given; choose at least one image');
  return file;
}

/** The .img of a NIfTI pair's .hdr. */
function imageOf(header: NamedBytes, all: readonly NamedBytes[]): NamedBytes | undefined {
  if (!isNiftiPair(header.bytes)) return undefined;
  const isPartner = (file: NamedBytes): boolean =>
    file !== header && /\.img(\.gz)?$/i.test(file.name) && stem(file.name) === stem(header.name);
  return all.find(isPartner);
}

function listed(files: readonly NamedBytes[]): string {
  const names = files.slice(0, 3).map((file) => plainText(baseName(file.name)));
  return `${names.join(', ')}${files.length > 3 ? `, and ${files.length - 3} more` : ''}`;
}

interface FailedFile { readonly file: NamedBytes; readonly error: FormatError }
interface Attempt {
  readonly volume: Volume;
  readonly failed: readonly FailedFile[];
  readonly unused: readonly NamedBytes[];
}

/** Reads a format's files: all as one series, or the first that can be read. */
function attempt(format: ImageFormat, files: readonly NamedBytes[], all: readonly NamedBytes[]): Attempt | FormatError {
  const failed: FailedFile[] = [];
  const candidates = format.series ? [files] : files.map((file) => [file]);
  for (const [index, candidate] of candidates.entries()) {
    try {
      return { volume: format.read(candidate, all), failed, unused: candidates.slice(index + 1).flat() };
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      failed.push({ file: only(candidate[0]), error });
    }
  }
  return failed[0]?.error ?? new FormatError('open: no image could be read; choose another file');
}

/**
 * Opens whatever was dropped as one volume, each file recognised by its content: DICOM (all files one series), NIfTI-1
 * and -2 (.nii, .nii.gz, .hdr with .img), PNG. Of several formats the one with most files is opened. Files that are
 * left out or unreadable beside readable ones are told in `notices`.
 *
 * @throws FormatError where nothing can be read: the file's own reason, or what is supported
 */
export function readImages(files: readonly NamedBytes[]): Volume {
  const wanted = files.filter((file) => files.length === 1 || !CLUTTER.test(baseName(file.name)));
  const formatOf = new Map(wanted.map((file) => [file, FORMATS.find((format) => format.matches(file.bytes)) ?? null]));
  const groups = FORMATS
    .map((format) => ({ format, members: wanted.filter((file) => formatOf.get(file) === format) }))
    .filter((group) => group.members.length > 0)
    .sort((a, b) => b.members.length - a.members.length);
  const headers = wanted.filter((file) => formatOf.get(file)?.name === 'NIfTI');
  const partners = new Set(headers.map((file) => imageOf(file, wanted)));
  const unknown = wanted.filter((file) => formatOf.get(file) === null && !partners.has(file));

  let refusal: FormatError | null = null;
  for (const [index, { format, members }] of groups.entries()) {
    const result = attempt(format, members, wanted);
    if (result instanceof FormatError) {
      refusal ??= result;
      continue;
    }
    const others = groups.filter((_, at) => at !== index).flatMap((group) => group.members);
    const leftOut = [...result.unused, ...others];
    return {
      ...result.volume,
      notices: [
        ...result.failed.map(({ file, error }) => `${imageTitle(file.name)} was left out: ${error.message}.`),
        ...(leftOut.length > 0 ? [`Only one image is opened at a time; left out: ${listed(leftOut)}.`] : []),
        ...(unknown.length > 0 ? [`Not an image and left out: ${listed(unknown)}.`] : []),
        ...result.volume.notices,
      ],
    };
  }
  if (refusal) throw refusal;
  const found = wanted.length === 0 ? 'no image was found' : `${listed(wanted)} is no image that can be read`;
  throw new FormatError(
    `open: ${found}; supported are DICOM (CT, MR, PET), NIfTI (.nii, .nii.gz, .hdr with .img) and PNG`,
  );
}
