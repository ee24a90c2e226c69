import { FormatError } from './volume.ts';
import { plainText } from './guard.ts';
import type { SourceFile } from './volume.ts';

/** Local file header, and the end record of an empty archive (APPNOTE.TXT, sections 4.3.7 and 4.3.16). */
const SIGNATURES = [[0x50, 0x4b, 3, 4], [0x50, 0x4b, 5, 6]];
/** A study on a disc has a few thousand files. */
const MAX_ENTRIES = 50_000;
/** One entry: what a browser gives as one piece of memory. */
const MAX_ENTRY = 2 ** 30;
/** DEFLATE expands at most this much (RFC 1951). */
const LARGEST_EXPANSION = 1032;

/** Whether the content begins as a zip archive does. */
export function isZip(head: Uint8Array): boolean {
  return SIGNATURES.some((signature) => signature.every((value, index) => head[index] === value));
}

/** Ends the stream of an entry once enough of it has come. */
class Enough extends Error {}

/**
 * The files in a zip archive, each unpacked when it is read; folders, links and hidden files are passed
 * over.
 *
 * @throws FormatError where the archive is damaged, encrypted or has more than 50,000 entries
 */
export async function readZip(archive: SourceFile): Promise<SourceFile[]> {
  const { configure, Reader, ZipReader } = await import('@zip.js/zip.js/lib/zip-core-native.js');
  configure({ useWebWorkers: false });

  class SourceReader extends Reader<SourceFile> {
    override size = archive.size;
    override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
      return archive.bytes(index + length, index);
    }
  }
  const name = plainText(archive.name.split(/[\\/]/).pop() ?? '');
  const damaged = (what: string): FormatError =>
    new FormatError(`zip: ${what} is damaged or cut short; download it again or open its files unpacked`);

  const files: SourceFile[] = [];
  try {
    for await (const entry of new ZipReader(new SourceReader(archive)).getEntriesGenerator()) {
      if (files.length >= MAX_ENTRIES) {
        throw new FormatError(`zip: ${name} holds more than ${MAX_ENTRIES} files; unpack it and open one series`);
      }
      if (entry.directory || entry.symlink || /(^|\/)(\.|__MACOSX\/)/.test(entry.filename)) continue;
      if (entry.encrypted) throw new FormatError(`zip: ${name} is encrypted; unpack it and open its files`);
      const inside = plainText(entry.filename.split('/').pop() ?? '');
      if (entry.uncompressedSize > Math.min(MAX_ENTRY, (entry.compressedSize + 1) * LARGEST_EXPANSION)) {
        throw new FormatError(
          `zip: ${inside} in ${name} claims ${entry.uncompressedSize} bytes unpacked, expected at most ${MAX_ENTRY} ` +
          'and no more than its compressed size allows; unpack it with another program',
        );
      }
      const size = entry.uncompressedSize;
      files.push({
        name: entry.filename,
        size,
        async bytes(end = size, start = 0) {
          const wanted = new Uint8Array(Math.max(0, Math.min(end, size)));
          let filled = 0;
          const sink = new WritableStream<Uint8Array>({
            write(chunk) {
              const part = chunk.subarray(0, wanted.length - filled);
              wanted.set(part, filled);
              filled += part.length;
              if (filled === wanted.length && filled < size) throw new Enough();
            },
          });
          try {
            await entry.getData(sink, { checkSignature: true });
          } catch {
            if (filled < wanted.length || wanted.length === size) throw damaged(`${inside} in ${name}`);
          }
          if (filled < wanted.length) throw damaged(`${inside} in ${name}`);
          return wanted.subarray(start);
        },
      });
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw damaged(name);
  }
  return files;
}
