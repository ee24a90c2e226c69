import factory from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import wasm from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url&inline';
import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';
import { checkStream, interpret } from './frameSamples.ts';
import { decodeExtended } from './jpegExtended.ts';
import { adobeTransform, isJfif, MARKER, readJpegStream } from './jpegMarkers.ts';
import type { JpegStream } from './jpegMarkers.ts';
import { compileInlined, WasmDecoder } from './wasmDecoder.ts';

const OPERATION = 'jpeg';
/** Scans · pixels: a forged progressive stream may have the whole picture passed over thousands of times. */
const MAX_WORK = 2 ** 30;
/** The segment that tells libjpeg to leave colours alone (Adobe, colour transform 0). */
const UNTRANSFORMED = [0xff, MARKER.APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];

/** How a stream of three components is to be treated. */
type Colour = 'grey' | 'ycbcr' | 'as stored';

/**
 * JFIF and Adobe segments declare their colours; without them, components named R, G, B are stored as they are, and so
 * are those that share all their tables: encoders give chroma tables of its own.
 */
function colourOf(stream: JpegStream): Colour {
  if (stream.components === 1) return 'grey';
  if (isJfif(stream)) return 'ycbcr';
  const adobe = adobeTransform(stream);
  if (adobe !== null) return adobe === 0 ? 'as stored' : 'ycbcr';
  if (String.fromCharCode(...stream.parts.map(({ id }) => id)) === 'RGB') return 'as stored';
  const scan = stream.segments.find(({ marker }) => marker === MARKER.SOS)?.content ?? [];
  const shared = scan[0] === 3 && scan[2] === scan[4] && scan[2] === scan[6]
    && stream.parts.every(({ quantisation }) => quantisation === stream.parts[0]?.quantisation)
    && stream.parts.every(({ horizontal, vertical }) => horizontal === 1 && vertical === 1);
  return shared ? 'as stored' : 'ycbcr';
}

/** The stream as libjpeg shall see it: told of untransformed colours, and ended properly. */
function prepared(bytes: Uint8Array, stream: JpegStream, colour: Colour): Uint8Array {
  const told = colour === 'as stored' && adobeTransform(stream) === null ? UNTRANSFORMED : [];
  if (told.length === 0 && stream.ended) return bytes;
  const whole = new Uint8Array(bytes.length + told.length + 2);
  whole.set(bytes.subarray(0, 2));
  whole.set(told, 2);
  whole.set(bytes.subarray(2), 2 + told.length);
  whole.set([0xff, MARKER.EOI], whole.length - 2);
  return whole;
}

/**
 * Loads the decoder of JPEG baseline, extended and progressive of 8 bits (libjpeg-turbo), and extended of 12 bits.
 * YCbCr streams come out as RGB, those that declare no transform untouched.
 */
export async function loadJpeg(): Promise<Codec> {
  const decoder = new WasmDecoder(OPERATION, { factory, module: await compileInlined(wasm), className: 'JPEGDecoder' });
  return (frame) => {
    const stream = readJpegStream(OPERATION, frame.bytes);
    const count = checkStream(OPERATION, frame, stream);
    if (stream.process > MARKER.SOF2) {
      throw new FormatError(
        `${OPERATION}: found JPEG process SOF${stream.process - MARKER.SOF0}, expected SOF0 to SOF2 (Huffman-coded ` +
        'DCT); export the image again',
      );
    }
    if (stream.precision === 12) return decodeExtended(frame, stream, count);
    if (stream.precision !== 8 || (stream.components !== 1 && stream.components !== 3)) {
      throw new FormatError(
        `${OPERATION}: ${stream.components} component(s) of ${stream.precision} bits are not supported, expected 1 ` +
        'or 3 of 8 or 12 bits; convert the image to grey or RGB',
      );
    }
    const scans = stream.segments.filter(({ marker }) => marker === MARKER.SOS).length;
    if (scans * stream.rows * stream.columns > MAX_WORK) {
      throw new FormatError(
        `${OPERATION}: ${scans} scans are more than can be decoded; save the image as baseline JPEG`,
      );
    }
    const colour = colourOf(stream);
    const { samples } = decoder.decode(prepared(frame.bytes, stream, colour), stream);
    return {
      samples: interpret(samples, 8, frame, false),
      samplesPerPixel: stream.components,
      rgb: colour === 'ycbcr',
    };
  };
}
