import { mkdtemp, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { NamedBytes, Volume } from '../formats/volume.ts';
import { writeDicomSeries } from '../formats/writeDicom.ts';
import { writeMetaImage } from '../formats/writeMetaImage.ts';
import { writeNifti } from '../formats/writeNifti.ts';
import { writeNrrd } from '../formats/writeNrrd.ts';
import { version } from '../../package.json';
import { RefusedError, UsageError } from './errors.ts';
import { writeOutput } from './files.ts';
import { pngOf } from './pngOf.ts';

/** What a derived DICOM series says of how it was made. */
export interface Derivation {
  readonly model: { readonly name: string; readonly version: string };
  readonly deidentify: boolean;
}

/** A place to write a volume to, in the format that its ending asks for. */
export interface Output {
  /** @throws RefusedError where this volume cannot be written so: said before the work, not after it */
  check(volume: Volume): void;
  /** Gives what the user should know of what was written. */
  write(volume: Volume, derivation?: Derivation): Promise<readonly string[]>;
}

type Writer = (volume: Volume, type: 'source' | 'float32') => Uint8Array;

const WRITERS: readonly (readonly [ending: string, Writer])[] = [
  ['.nii', (volume, type) => writeNifti(volume, { type })],
  ['.nii.gz', (volume, type) => writeNifti(volume, { type, gzip: true })],
  ['.nrrd', (volume, type) => writeNrrd(volume, { type, gzip: true })],
  ['.mha', (volume, type) => writeMetaImage(volume, { type, gzip: true })],
];

/**
 * The output that a path asks for: a file by its ending, or a derived DICOM series in a folder (a path that ends in a
 * slash, or an empty folder that is there).
 *
 * @param type 'source' keeps the input's number type; 'float32' is for values as the network gives them
 * @param dicom whether this verb derives DICOM
 * @throws UsageError for other endings and where an input would be overwritten, Node's error where the folder around
 *   the path is not there
 */
export async function outputAt(
  verb: string, out: string, inputs: readonly string[], { type, dicom }: { type: 'source' | 'float32'; dicom: boolean },
): Promise<Output> {
  if (inputs.some((path) => resolve(path) === resolve(out))) {
    throw new UsageError(`${verb}: --out ${out} is the input itself; choose another name`);
  }
  await stat(dirname(resolve(out)));
  const name = out.toLowerCase();
  const folder = /[\\/]$/.test(out) || await isFolder(out);
  if (folder && dicom) return dicomFolder(verb, out);
  const writer = WRITERS.find(([ending]) => name.endsWith(ending))?.[1];
  if (writer && !folder) {
    const write = async (volume: Volume): Promise<readonly string[]> => {
      await writeOutput(out, writer(volume, type));
      return [];
    };
    return { check: () => undefined, write };
  }
  if (name.endsWith('.png') && type === 'source' && !folder) return picture(verb, out);
  const endings = [...WRITERS.map(([ending]) => ending), ...(type === 'source' ? ['.png'] : [])];
  const or = dicom ? ', or be a folder with a slash at its end for DICOM' : '';
  throw new UsageError(`${verb}: --out ${out} must end in ${endings.join(', ')}${or}`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** A picture holds one slice. */
function picture(verb: string, out: string): Output {
  return {
    check({ slices }) {
      if (slices === 1) return;
      throw new RefusedError(`${verb}: the image has ${slices} slices and a PNG holds one; write .nii or .nii.gz`);
    },
    async write(volume) {
      await writeOutput(out, pngOf(volume));
      return [];
    },
  };
}

/** A folder that appears whole or not at all. */
function dicomFolder(verb: string, out: string): Output {
  return {
    check({ origin, name }) {
      if (origin.format === 'dicom') return;
      throw new RefusedError(`${verb}: ${name} is not DICOM, so no DICOM can be derived from it; write .nii.gz instead`);
    },
    async write(volume, derivation) {
      if (!derivation) throw new UsageError(`${verb}: --out ${out} must be a file`);
      const { files, notices } = await writeDicomSeries(volume, { ...derivation, software: `Restore-RWKV ${version}` });
      await writeFolder(resolve(out), files);
      return notices;
    },
  };
}

async function writeFolder(folder: string, files: readonly NamedBytes[]): Promise<void> {
  const aside = await mkdtemp(join(dirname(folder), `.${basename(folder)}.`));
  try {
    for (const { name, bytes } of files) await writeFile(join(aside, name), bytes, { flag: 'wx' });
    // Only an empty folder gives way; its own files would be lost otherwise.
    if (await isFolder(folder)) {
      if ((await readdir(folder)).length > 0) throw new RefusedError(`${folder}: this folder holds files; name a new one`);
      await rmdir(folder);
    }
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
