import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { NamedBytes } from '../formats/volume.ts';
import { RefusedError } from './errors.ts';

/** A study of thin slices has a few thousand files; beyond this a wrong folder was named. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 12;
/** All inputs together are held in memory; Node cannot read a single file of 2 GiB in one piece. */
const MAX_BYTES = 4 * 2 ** 30;
const MAX_FILE_BYTES = 2 * 2 ** 30 - 1;

/** Reads one file. @throws RefusedError, or Node's error with its code, where it cannot be read */
export async function readInput(path: string): Promise<NamedBytes> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) throw new RefusedError(`${path}: ${size} bytes are too many; the limit is 2 GiB a file`);
  return { name: basename(path), bytes: new Uint8Array(await readFile(path)) };
}

/** Reads files, and folders with all that is in them, without hidden files and without following links. */
export async function readInputs(paths: readonly string[]): Promise<NamedBytes[]> {
  const files: string[] = [];
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) await listFolder(path, 0, files);
    else files.push(path);
  }
  if (files.length === 0) throw new RefusedError(`${paths.join(', ')}: this folder holds no files`);
  const inputs: NamedBytes[] = [];
  let total = 0;
  for (const file of files) {
    const input = await readInput(file);
    total += input.bytes.byteLength;
    if (total > MAX_BYTES) throw new RefusedError(`${file}: with this file the inputs exceed 4 GiB; name a smaller folder`);
    inputs.push(input);
  }
  return inputs;
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
