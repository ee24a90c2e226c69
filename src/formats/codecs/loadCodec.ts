import type { CodecName } from '../transferSyntaxes.ts';
import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';

type Decoder = Exclude<CodecName, 'native'>;

const LOADERS: Readonly<Record<Decoder, () => Promise<Codec>>> = {
  uncompressed: async () => (await import('./uncompressed.ts')).decodeUncompressed,
  deflate: async () => (await import('./uncompressed.ts')).decodeDeflated,
  rle: async () => (await import('./rle.ts')).decodeRle,
  jpeg: async () => (await import('./jpeg.ts')).loadJpeg(),
  'jpeg-lossless': async () => (await import('./jpegLossless.ts')).decodeJpegLossless,
  'jpeg-ls': async () => (await import('./jpegLs.ts')).loadJpegLs(),
  'jpeg-2000': async () => (await import('./jpeg2000.ts')).loadJpeg2000('jpeg 2000'),
  htj2k: async () => (await import('./jpeg2000.ts')).loadJpeg2000('htj2k'),
};

const loaded = new Map<Decoder, Promise<Codec>>();

/**
 * The decoder of that name; its library is fetched and compiled on first use and kept.
 *
 * @returns a synchronous decoder, which may be called any number of times
 * @throws FormatError where the library cannot be fetched (a page that went offline); asking again tries again
 */
export function loadCodec(name: Decoder): Promise<Codec> {
  const known = loaded.get(name);
  if (known) return known;
  const codec = LOADERS[name]().catch(() => {
    loaded.delete(name);
    throw new FormatError(`${name}: the decoder could not be loaded; check the connection and open the file again`);
  });
  loaded.set(name, codec);
  return codec;
}
