import type { NamedBytes } from '../../formats/volume.ts';
import { text } from '../text.ts';
import { UserError } from './jobs.ts';
import type { Job } from './jobs.ts';

/**
 * Writes one file after the other into a new folder, until the job is cancelled. A file is there whole or not at all.
 *
 * @returns the folder's name and how many files were written
 * @throws UserError that says how many files were written, where one could not be
 */
export async function writeToNewFolder(
  parent: FileSystemDirectoryHandle,
  name: string,
  files: readonly NamedBytes[],
  job: Job,
  tell: (known: { done: number; total: number }) => void,
): Promise<{ into: string; done: number }> {
  const folder = await newFolder(parent, name);
  const into = folder.name;
  for (const [done, file] of files.entries()) {
    tell({ done, total: files.length });
    // A Cancel is heard in between.
    await new Promise((resolve) => setTimeout(resolve));
    if (job.cancelled) {
      if (done === 0) await remove(parent, into);
      return { into, done };
    }
    try {
      await writeFile(folder, file);
    } catch (error) {
      if (done === 0) await remove(parent, into);
      const why = error instanceof Error ? error.message : String(error);
      throw new UserError(text.failed.savedPartly(done, files.length, into, why));
    }
  }
  return { into, done: files.length };
}

/** A folder that is not there yet: "name", "name 2", … */
async function newFolder(parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemDirectoryHandle> {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : `${name} ${i}`;
    const taken = await parent.getDirectoryHandle(candidate).then(
      () => true,
      (error: unknown) => error instanceof DOMException && error.name === 'TypeMismatchError',
    );
    if (!taken) return parent.getDirectoryHandle(candidate, { create: true });
  }
}

/** What is written shows only when the stream is closed; the empty file that stands for it goes where that fails. */
async function writeFile(folder: FileSystemDirectoryHandle, { name, bytes }: NamedBytes): Promise<void> {
  const handle = await folder.getFileHandle(name, { create: true });
  try {
    const stream = await handle.createWritable();
    try {
      await stream.write(bytes as Uint8Array<ArrayBuffer>);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    await remove(folder, name);
    throw error;
  }
}

/** Tidies up as well as it can: what went wrong before is what the user has to know. */
async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  await folder.removeEntry(name).catch(() => undefined);
}
