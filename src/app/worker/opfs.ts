import type { Folder } from './runStore.ts';

/** No other file system is asked for: what lies there belongs to this page's origin and never leaves the browser. */
const FOLDER = 'training';

/**
 * The folder of training runs in the origin private file system.
 *
 * @param create makes it where there is none yet
 * @throws DOMException where the browser keeps nothing (no secure page, a private window), or there is no folder
 */
export async function openOpfs(create = true): Promise<Folder> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(FOLDER, { create });
  return {
    async read(name, most) {
      try {
        const file = await (await folder.getFileHandle(name)).getFile();
        return file.size > most ? null : new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    async write(name, bytes) {
      const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
      try {
        handle.truncate(0);
        // A disk that fills up takes a part and says how much.
        for (let at = 0; at < bytes.length;) {
          const written = handle.write(bytes.subarray(at) as Uint8Array<ArrayBuffer>, { at });
          if (written <= 0) throw new DOMException('the disk is full', 'QuotaExceededError');
          at += written;
        }
        handle.flush();
      } finally {
        handle.close();
      }
    },

    async sizes() {
      const sizes = new Map<string, number>();
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'file') sizes.set(name, (await (handle as FileSystemFileHandle).getFile()).size);
      }
      return sizes;
    },

    async remove(name) {
      await folder.removeEntry(name).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
  };
}

const isNotFound = (error: unknown): boolean => error instanceof DOMException && error.name === 'NotFoundError';
