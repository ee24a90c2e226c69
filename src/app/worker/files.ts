import { readImages } from '../../formats/readImages.ts';
import type { NamedBytes, Volume } from '../../formats/volume.ts';
import type { NamedFile } from '../protocol.ts';
import { text } from '../text.ts';
import { UserError } from './jobs.ts';

/** What is read at once: the page needs about six times as much while it works. */
const MOST_BYTES = 2 ** 30;

/** The bytes of files that a user has chosen. @throws UserError where they are too many */
export async function bytesOf(files: readonly NamedFile[]): Promise<NamedBytes[]> {
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  const first = files[0]?.name ?? '';
  if (total > MOST_BYTES) throw new UserError(text.failed.tooLarge(first, total, MOST_BYTES));
  return Promise.all(
    files.map(async ({ name, file }) => ({ name, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
}

export async function openFiles(files: readonly NamedFile[]): Promise<Volume> {
  return readImages(await bytesOf(files));
}

/** One of the app's own files. @throws UserError where it does not come */
export async function fetchOwn(base: string, path: string): Promise<Response> {
  const address = new URL(path, base);
  const name = path.split('/').pop() ?? path;
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    throw new UserError(text.failed.fetch(name, 'no answer'));
  }
  if (!response.ok) throw new UserError(text.failed.fetch(name, `status ${response.status}`));
  return response;
}

export async function fetchBytes(base: string, path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetchOwn(base, path)).arrayBuffer());
}
