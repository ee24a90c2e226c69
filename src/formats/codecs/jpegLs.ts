import factory from '@cornerstonejs/codec-charls/decodewasmjs';
import wasm from '@cornerstonejs/codec-charls/decodewasm?url&inline';
import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';
import { checkStream, interpret } from './frameSamples.ts';
import { MARKER, readJpegStream } from './jpegMarkers.ts';
import type { JpegStream } from './jpegMarkers.ts';
import { compileInlined, WasmDecoder } from './wasmDecoder.ts';

const OPERATION = 'jpeg-ls';

/** CharLS looks for a marker far beyond a stream that ends without one: each gets another end marker. */
function terminated(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 2);
  whole.set(bytes);
  whole.set([0xff, MARKER.EOI], bytes.length);
  return whole;
}

/** The largest distance that near-lossless scans declare (ITU-T T.87, C.2.3: NEAR); 0: lossless. */
function nearOf({ segments }: JpegStream): number {
  const scans = segments.filter(({ marker }) => marker === MARKER.SOS);
  return Math.max(...scans.map(({ content }) => content[1 + 2 * (content[0] ?? 0)] ?? 0));
}

/** Components one after the other → pixel by pixel. */
function interleaved(planes: Uint8Array | Uint16Array, components: number): Uint8Array | Uint16Array {
  const pixels = planes.slice();
  const size = planes.length / components;
  for (let component = 0; component < components; component += 1) {
    for (let pixel = 0; pixel < size; pixel += 1) {
      pixels[pixel * components + component] = planes[component * size + pixel] ?? 0;
    }
  }
  return pixels;
}

/** Loads the decoder of JPEG-LS, lossless and near-lossless, of 2 to 16 bits (CharLS). */
export async function loadJpegLs(): Promise<Codec> {
  const module = await compileInlined(wasm);
  const decoder = new WasmDecoder(OPERATION, { factory, module, className: 'JpegLSDecoder' });
  return (frame) => {
    const stream = readJpegStream(OPERATION, frame.bytes);
    if (stream.process !== MARKER.SOF55) {
      throw new FormatError(
        `${OPERATION}: found JPEG process SOF${stream.process - MARKER.SOF0}, expected SOF55 (JPEG-LS); ` +
        'export the image again',
      );
    }
    checkStream(OPERATION, frame, stream);
    const { samples, planar } = decoder.decode(terminated(frame.bytes), stream);
    const pixels = planar && stream.components > 1 ? interleaved(samples, stream.components) : samples;
    return {
      samples: interpret(pixels, stream.precision, frame, nearOf(stream) === 0),
      samplesPerPixel: stream.components,
      rgb: false,
    };
  };
}
