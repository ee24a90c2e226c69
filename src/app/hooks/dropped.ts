import { MOST_FILES } from '../protocol.ts';
import type { NamedFile } from '../protocol.ts';

/** The files of an input element, named by their path inside a chosen folder. */
export function chosen(files: FileList | null): NamedFile[] {
  return [...(files ?? [])].slice(0, MOST_FILES).map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** All files of a drop, folders walked; hidden files (a name that begins with a dot) are left out. */
export async function dropped(transfer: DataTransfer): Promise<NamedFile[]> {
  // Entries must be taken before the first await: the list is emptied when the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  if (entries.every((entry) => entry === null)) return plain.map((file) => ({ name: file.name, file }));
  const found: NamedFile[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: NamedFile[]): Promise<void> {
  if (found.length >= MOST_FILES || entry.name.startsWith('.')) return;
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.push({ name: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  if (!isDirectory(entry)) return;
  const reader = entry.createReader();
  const next = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
  // A reader gives at most a hundred entries at a time.
  for (let batch = await next(); batch.length > 0; batch = await next()) {
    for (const child of batch) await walk(child, found);
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
