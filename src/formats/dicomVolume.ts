import { COLOUR_NOTICE } from './luma.ts';
import { parseDicomDataSet } from './dicomDataSet.ts';
import { stackFrames } from './dicomGeometry.ts';
import type { DicomStack } from './dicomGeometry.ts';
import type { DicomFrame } from './dicomHeader.ts';
import { headerStream } from './dicomSource.ts';
import { suvScale } from './dicomSuv.ts';
import { allocateVoxels, imageTitle, plainText } from './guard.ts';
import { openPixels } from './readDicom.ts';
import type { DicomPixelReader } from './readDicom.ts';
import { FormatError } from './volume.ts';
import type { DicomSource, SourceFile, SuvScale, Volume } from './volume.ts';

/** Files are asked for this far ahead of the one that is being decoded. */
const AHEAD = 3;
/** Milliseconds of decoding after which other work (a message to cancel) gets its turn. */
const TURN = 50;

/** Series description, or modality and number; never the patient's name. */
export function titleOf({ header }: DicomFrame): string {
  if (header.seriesDescription) return plainText(header.seriesDescription, 64);
  if (header.seriesNumber !== null) return `${header.modalityName || 'DICOM'} series ${header.seriesNumber}`;
  return imageTitle(header.file.name);
}

const baseName = (path: string): string => path.split(/[\\/]/).pop() ?? '';

/** A frame that could not be decoded, and why. */
export interface Refusal {
  readonly file: SourceFile;
  readonly error: FormatError;
}

/** "2 files could not be read and were left out; IM3: …" */
export function refusalNotice(refused: readonly Refusal[]): string[] {
  const [first] = refused;
  if (!first) return [];
  const files = new Set(refused.map(({ file }) => file)).size;
  const what = files === 1 ? '1 file could not be read and was' : `${files} files could not be read and were`;
  return [`${what} left out; ${imageTitle(first.file.name)}: ${first.error.message}.`];
}

/** Frames of one file, with their places in the volume. */
interface FileJob {
  readonly file: SourceFile;
  readonly slices: { readonly frame: DicomFrame; readonly at: number }[];
}

function jobsOf(frames: readonly DicomFrame[]): FileJob[] {
  const jobs = new Map<SourceFile, FileJob>();
  frames.forEach((frame, at) => {
    const { file } = frame.header;
    const job = jobs.get(file) ?? { file, slices: [] };
    job.slices.push({ frame, at });
    jobs.set(file, job);
  });
  return [...jobs.values()];
}

/** Each file's bytes, a few asked for ahead; at most `AHEAD + 1` are held. */
async function* readInTurn(jobs: readonly FileJob[]): AsyncGenerator<[FileJob, Promise<Uint8Array>]> {
  const pending: Promise<Uint8Array>[] = [];
  for (const [index, job] of jobs.entries()) {
    for (let next = index + pending.length; next < jobs.length && pending.length <= AHEAD; next += 1) {
      const bytes = jobs[next]?.file.bytes() ?? Promise.resolve(new Uint8Array());
      // Whoever awaits it is told of a failure; one that nobody comes to await any more must not go unhandled.
      bytes.catch(() => undefined);
      pending.push(bytes);
    }
    const bytes = pending.shift();
    if (bytes) yield [job, bytes];
  }
}

/** Lets messages through now and then. */
function turns(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < TURN) return;
    await new Promise((resolve) => { setTimeout(resolve); });
    last = performance.now();
  };
}

function asRefusal(file: SourceFile, error: unknown): Refusal {
  if (error instanceof FormatError) return { file, error };
  // What a disk or an archive throws.
  const reason = error instanceof Error ? plainText(error.message, 80) : 'unknown reason';
  return { file, error: new FormatError(`dicom: the file could not be read (${reason}); open it again`) };
}

interface Decoded {
  /** One slice after the other in the frames' order; null where none could be decoded. */
  readonly data: Float32Array | null;
  /** By frame; undefined where it could not be decoded. */
  readonly sources: readonly (DicomSource | undefined)[];
  readonly refused: readonly Refusal[];
}

/** Decodes each frame straight into its place. The volume is only sized once one frame was found to be decodable. */
async function decode(frames: readonly DicomFrame[], progress?: (done: number) => void): Promise<Decoded> {
  const layout = frames[0]?.header.layout;
  const size = (layout?.rows ?? 0) * (layout?.columns ?? 0);
  const sources: (DicomSource | undefined)[] = frames.map(() => undefined);
  const refused: Refusal[] = [];
  const takeTurns = turns();
  let data: Float32Array | null = null;
  let done = 0;
  for await (const [{ file, slices }, pending] of readInTurn(jobsOf(frames))) {
    let reader: DicomPixelReader;
    let header: Uint8Array;
    try {
      const parsed = parseDicomDataSet(await pending);
      reader = await openPixels(parsed, slices[0]?.frame.header.layout);
      header = headerStream(parsed);
    } catch (error) {
      refused.push(asRefusal(file, error));
      continue;
    }
    for (const { frame, at } of slices) {
      try {
        reader.read(frame, () => {
          data ??= allocateVoxels('dicom', size * frames.length);
          return data.subarray(at * size, (at + 1) * size);
        });
        sources[at] = { name: baseName(file.name), header, frame: frame.index };
      } catch (error) {
        refused.push(asRefusal(file, error));
      }
      done += 1;
      progress?.(done);
      await takeTurns();
    }
  }
  return { data, sources, refused };
}

/** The slices of a stack that could be decoded, stacked anew where some could not. */
function withoutRefused(stack: DicomStack<DicomFrame>, decoded: Decoded, size: number): {
  readonly stack: DicomStack<DicomFrame>; readonly data: Float32Array; readonly sources: readonly DicomSource[];
} {
  const at = new Map(stack.frames.map((frame, index) => [frame, index]));
  const rest = stack.frames.filter((_, index) => decoded.sources[index]);
  const restacked = rest.length === stack.frames.length ? stack : stackFrames(rest);
  const places = restacked.frames.map((frame) => at.get(frame) ?? 0);
  const sources = places.flatMap((place) => decoded.sources[place] ?? []);
  if (restacked === stack) return { stack, data: decoded.data ?? new Float32Array(0), sources };
  const data = allocateVoxels('dicom', size * places.length);
  places.forEach((place, index) =>
    data.set(decoded.data?.subarray(place * size, (place + 1) * size) ?? [], index * size));
  return { stack: restacked, data, sources };
}

/** What is known of an image before it is decoded. */
export interface DicomImage {
  readonly stack: DicomStack<DicomFrame>;
  /** About the series: other images in it, files that came twice. */
  readonly notices: readonly string[];
}

/** The scale to SUV by all slices; null for anything but PET. */
function suvOf(frames: readonly DicomFrame[]): SuvScale | null {
  const headers = new Set(frames.map(({ header }) => header));
  return suvScale([...headers].flatMap(({ pet }) => pet ?? []));
}

/**
 * Reads and decodes an image, one file at a time, in native units (HU, Bq/mL, SUV or raw).
 *
 * @param suv where the frames are some of a larger image, that one's scale
 * @throws FormatError where no slice can be decoded: the first one's reason
 */
export async function readVolume(
  { stack: whole, notices }: DicomImage, progress?: (done: number) => void, suv = suvOf(whole.frames),
): Promise<Volume> {
  const decoded = await decode(whole.frames, progress);
  const [example] = whole.frames;
  if (!example || !decoded.data) {
    throw decoded.refused[0]?.error ?? new FormatError('dicom: the series holds no image; open another one');
  }
  const { columns, rows } = example.header.layout;
  const { stack, data, sources } = withoutRefused(whole, decoded, rows * columns);
  const first = stack.frames[0] ?? example;
  const { header } = first;
  const headers = [...new Set(stack.frames.map((frame) => frame.header))];
  return {
    name: titleOf(first),
    format: 'dicom',
    modality: header.modality,
    units: stack.frames.every(({ units }) => units === first.units) ? first.units : 'raw',
    columns,
    rows,
    slices: stack.frames.length,
    times: stack.times,
    data,
    spacing: stack.spacing,
    affine: stack.affine,
    suv,
    origin: { format: 'dicom', slices: sources },
    notices: [
      ...refusalNotice(decoded.refused),
      ...notices,
      ...new Set(headers.flatMap((each) => each.notices)),
      ...(header.layout.colour ? [COLOUR_NOTICE] : []),
      ...stack.notices,
    ],
  };
}

/** The middle slice of an image's first time point, decoded alone. @throws FormatError where it cannot be decoded */
export async function readMiddleSlice({ stack }: DicomImage): Promise<Volume> {
  const middle = stack.frames[Math.floor(stack.frames.length / stack.times / 2)];
  if (!middle) throw new FormatError('dicom: the series holds no image; open another one');
  return readVolume({ stack: stackFrames([middle]), notices: [] }, undefined, suvOf(stack.frames));
}
