import factory from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import wasm from '@cornerstonejs/codec-openjpeg/decodewasm?url&inline';
import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';
import { checkStream, interpret } from './frameSamples.ts';
import { readJ2kStream } from './j2kStream.ts';
import { compileInlined, WasmDecoder } from './wasmDecoder.ts';

/**
 * Loads the decoder of JPEG 2000 and High-Throughput JPEG 2000 (OpenJPEG does both): greyscale of 1 to 16 bits, RGB of
 * up to 8, which comes out as RGB where it was transformed.
 *
 * @param operation begins the sentences of errors
 */
export async function loadJpeg2000(operation: string): Promise<Codec> {
  const decoder = new WasmDecoder(operation, { factory, module: await compileInlined(wasm), className: 'J2KDecoder' });
  return (frame) => {
    const stream = readJ2kStream(operation, frame.bytes);
    checkStream(operation, frame, stream);
    const { components, precision, signed } = stream;
    // What the library's binding can hand over.
    const supported = components === 1 ? precision <= 16 && !(signed && precision <= 8)
      : components === 3 && precision <= 8 && !signed;
    if (!supported) {
      throw new FormatError(
        `${operation}: ${components} component(s) of ${precision} ${signed ? 'signed ' : ''}bits are not supported, ` +
        'expected grey of up to 16 bits or RGB of 8; convert the image',
      );
    }
    const { samples } = decoder.decode(stream.codestream, stream);
    return {
      samples: interpret(samples, precision, frame, stream.reversible),
      samplesPerPixel: components,
      rgb: stream.colourTransform,
    };
  };
}
