import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Findings } from '../formats/foundImage.ts';
import { findImages, readFirst } from '../formats/readImages.ts';
import type { NamedBytes, SourceFile, Volume } from '../formats/volume.ts';
import { RefusedError, UsageError } from './errors.ts';

/** A study of thin slices has a few thousand files; beyond this a wrong folder was named. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 12;
/** Headers whose voxels lie in a file of their own: NIfTI and Analyze pairs, NRRD, MetaImage. */
const DETACHED = /\.(hdr|nhdr|mhd)(\.gz)?$/i;
/** Node cannot read a single file of 2 GiB in one piece. */
const MAX_FILE_BYTES = 2 * 2 ** 30 - 1;

/** A file on disk, read when it is asked for. @throws Node's error with its code where there is none */
async function sourceAt(path: string, name: string): Promise<SourceFile> {
  const { size } = await stat(path);
  return {
    name,
    size,
    async bytes(end = size, start = 0) {
      const length = Math.max(0, Math.min(end, size) - start);
      if (length > MAX_FILE_BYTES) throw new RefusedError(`${path}: ${size} bytes are too many; the limit is 2 GiB a file`);
      const file = await open(path);
      try {
        const bytes = new Uint8Array(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } finally {
        await file.close();
      }
    },
  };
}

/** Reads one file. @throws RefusedError, or Node's error with its code, where it cannot be read */
export async function readInput(path: string): Promise<NamedBytes> {
  const source = await sourceAt(path, basename(path));
  return { name: source.name, bytes: await source.bytes() };
}

/** Files, and all that is in folders, without hidden files and without following links; nothing is read yet. */
export async function listInputs(paths: readonly string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) {
      const found: string[] = [];
      await listFolder(path, 0, found);
      for (const file of found) files.push(await sourceAt(file, relative(resolve(path, '..'), file)));
    } else {
      files.push(await sourceAt(path, basename(path)));
    }
  }
  if (files.length === 0) throw new RefusedError(`${paths.join(', ')}: this folder holds no files`);
  return files;
}

/**
 * The image in files and folders.
 *
 * @param which counted from 1 in the order in which `inspect` lists them; without it the first that can be read
 */
export async function readVolume(paths: readonly string[], which?: number): Promise<Volume> {
  const found = await findInputs(paths);
  if (which === undefined) return readFirst(found);
  const image = found.images[which - 1];
  if (!image) throw new UsageError(`--series ${which}: there are ${found.images.length} images; inspect lists them`);
  return image.read();
}

/** The images in files and folders; the voxels of a detached header are looked for beside it. */
export async function findInputs(paths: readonly string[]): Promise<Findings> {
  const folders = new Set(paths.filter((path) => DETACHED.test(path)).map((path) => dirname(path)));
  const beside: SourceFile[] = [];
  for (const folder of folders) {
    const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).slice(0, MAX_FILES);
    for (const { name } of entries) beside.push(await sourceAt(join(folder, name), name));
  }
  return findImages(await listInputs(paths), beside);
}

async function listFolder(folder: string, depth: number, files: string[]): Promise<void> {
  if (depth > MAX_DEPTH) throw new RefusedError(`${folder}: more than ${MAX_DEPTH} folders deep; name the folder of one series`);
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await listFolder(path, depth + 1, files);
    else if (entry.isFile()) files.push(path);
    if (files.length > MAX_FILES) throw new RefusedError(`${folder}: more than ${MAX_FILES} files; name the folder of one series`);
  }
}

/** Writes a file whole or not at all: beside its place first, then renamed. */
export async function writeOutput(path: string, bytes: Uint8Array | string): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`);
  try {
    await writeFile(aside, bytes, { flag: 'wx' });
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    // The user named `path`, not the file beside it.
    throw Object.assign(error as Error, { path });
  }
}
