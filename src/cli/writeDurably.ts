import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Replaces a file so that whatever happens in between, SIGKILL and power failure included, there is the old one or the
 * new one: written beside its place, forced to the disk, renamed. What an earlier death left beside is overwritten.
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const aside = join(folder, `.${basename(path)}.part`);
  try {
    const file = await open(aside, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    // The user named `path`, not the file beside it.
    throw Object.assign(error as Error, { path });
  }
  const directory = await open(folder);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
