import { describe, expect, it } from 'vitest';
import { writeToNewFolder } from './folder.ts';

/** What there is of the File System Access API here: folders and files in memory. */
class Folder {
  readonly folders = new Map<string, Folder>();
  readonly files = new Map<string, Uint8Array>();
  readonly name: string;
  /** Name of a file whose writing fails: the disk is full. */
  readonly full: string | null;

  constructor(name: string, full: string | null = null) {
    this.name = name;
    this.full = full;
  }

  async getDirectoryHandle(name: string, options?: { create: boolean }): Promise<Folder> {
    if (this.files.has(name)) throw new DOMException('a file', 'TypeMismatchError');
    const known = this.folders.get(name);
    if (known) return known;
    if (!options?.create) throw new DOMException('not there', 'NotFoundError');
    const made = new Folder(name, this.full);
    this.folders.set(name, made);
    return made;
  }

  async getFileHandle(name: string) {
    this.files.set(name, new Uint8Array(0));
    let written = new Uint8Array(0);
    return {
      createWritable: async () => ({
        write: async (bytes: Uint8Array<ArrayBuffer>) => {
          if (name === this.full) throw new DOMException('The disk is full', 'QuotaExceededError');
          written = bytes;
        },
        close: async () => void this.files.set(name, written),
        abort: async () => undefined,
      }),
    };
  }

  async removeEntry(name: string): Promise<void> {
    this.files.delete(name);
    this.folders.delete(name);
  }
}

const THREE = ['a.dcm', 'b.dcm', 'c.dcm'].map((name, i) => ({ name, bytes: Uint8Array.of(i, i, i) }));
const write = (parent: Folder, job = { cancelled: false }, tell: () => void = () => undefined) =>
  writeToNewFolder(parent as unknown as FileSystemDirectoryHandle, 'liver', THREE, job, tell);

describe('a series written to a folder', () => {
  it('lies in a folder of its own, every file with its bytes', async () => {
    const parent = new Folder('chosen');
    expect(await write(parent)).toEqual({ into: 'liver', done: 3 });
    const files = parent.folders.get('liver')!.files;
    expect([...files]).toEqual(THREE.map(({ name, bytes }) => [name, bytes]));
  });

  it('never goes into a folder that is there, nor takes the name of a file', async () => {
    const parent = new Folder('chosen');
    parent.files.set('liver', Uint8Array.of(7));
    parent.folders.set('liver 2', new Folder('liver 2'));
    expect((await write(parent)).into).toBe('liver 3');
    expect(parent.files.get('liver')).toEqual(Uint8Array.of(7));
    expect(parent.folders.get('liver 2')!.files.size).toBe(0);
  });

  it('says how many files are done where one cannot be written, of which nothing is left', async () => {
    const parent = new Folder('chosen', 'b.dcm');
    await expect(write(parent)).rejects.toThrow(/1 of 3 files were written to liver.*The disk is full/);
    expect([...parent.folders.get('liver')!.files.keys()]).toEqual(['a.dcm']);
  });

  it('leaves no empty folder where not even the first file can be written', async () => {
    const parent = new Folder('chosen', 'a.dcm');
    await expect(write(parent)).rejects.toThrow('0 of 3 files');
    expect(parent.folders.size).toBe(0);
  });

  it('ends between two files when it is cancelled', async () => {
    const parent = new Folder('chosen');
    const job = { cancelled: false };
    let told = 0;
    const done = await write(parent, job, () => {
      told++;
      if (told === 3) job.cancelled = true;
    });
    expect(done).toEqual({ into: 'liver', done: 2 });
    expect([...parent.folders.get('liver')!.files.keys()]).toEqual(['a.dcm', 'b.dcm']);
  });
});
