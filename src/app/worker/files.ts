import { plainText } from '../../formats/guard.ts';
import { FormatError } from '../../formats/volume.ts';
import type { NamedBytes, SourceFile } from '../../formats/volume.ts';
import type { NamedFile } from '../protocol.ts';
import { text } from '../text.ts';
import { UserError } from './jobs.ts';

/** A file on the disk, of which only what is asked for is read. `check` may throw before each reading. */
export function fromDisk({ name, file }: NamedFile, check: () => void = () => undefined): SourceFile {
  return {
    name,
    size: file.size,
    async bytes(end, start) {
      check();
      const part = start === undefined && end === undefined ? file : file.slice(start ?? 0, end);
      try {
        return new Uint8Array(await part.arrayBuffer());
      } catch {
        throw new FormatError(text.failed.unreadable(plainText(file.name)));
      }
    },
  };
}

/** All bytes of a file that a user has chosen. */
export async function bytesOf(file: NamedFile): Promise<NamedBytes> {
  return { name: file.name, bytes: await fromDisk(file).bytes() };
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
