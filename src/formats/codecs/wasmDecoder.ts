import { FormatError } from '../volume.ts';
import type { StreamHeader } from './frameSamples.ts';

/** After a larger picture an instance is let go, as wasm memory never shrinks. */
const KEPT_MEMORY = 2 ** 27;

/** What is used of the classes that cornerstone's builds export. */
interface Decoder {
  /** Room for the encoded bytes in wasm memory; invalid after `decode`. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getFrameInfo(): { readonly width: number; readonly height: number; readonly componentCount: number };
  /** In wasm memory, or copied. */
  getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
  /** JPEG-LS alone: 0 where the components follow one another. */
  getInterleaveMode?(): number;
  delete(): void;
}

interface Instance {
  readonly HEAPU8?: Uint8Array;
  readonly [className: string]: unknown;
}

/** A library as it was compiled with Emscripten. */
export interface Build {
  readonly factory: (overrides: object) => Promise<unknown>;
  readonly module: WebAssembly.Module;
  /** The decoder's name among its exports. */
  readonly className: string;
}

export interface WasmResult {
  /** Samples of one byte, or of two (little endian) above 8 bits. */
  readonly samples: Uint8Array | Uint16Array;
  /** The components follow one another, instead of pixel by pixel. */
  readonly planar: boolean;
}

/**
 * Compiles wasm that the bundler has inlined as a data URL: so the same code loads it in a page, a worker and Node,
 * from whichever folder, without a request. A Content-Security-Policy must allow 'wasm-unsafe-eval'.
 */
export async function compileInlined(dataUrl: string): Promise<WebAssembly.Module> {
  const text = atob(dataUrl.slice(dataUrl.indexOf(',') + 1));
  return WebAssembly.compile(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

/**
 * A decoder class compiled with Emscripten. Its instance is thrown away after a trap, an abort or a C++ exception,
 * which leave its memory in an unknown state; the next frame gets a fresh one.
 */
export class WasmDecoder {
  private readonly operation: string;
  private readonly build: Build;
  private instance: Instance | null = null;

  constructor(operation: string, build: Build) {
    this.operation = operation;
    this.build = build;
  }

  /** Where instantiation itself is synchronous, Emscripten fills the object it is given before its promise resolves. */
  private create(): Instance {
    const silent = (): void => undefined;
    const instance: Instance = {};
    this.build.factory(Object.assign(instance, {
      print: silent,
      printErr: silent,
      instantiateWasm: (imports: WebAssembly.Imports, receive: (made: WebAssembly.Instance) => unknown) =>
        receive(new WebAssembly.Instance(this.build.module, imports)),
    })).catch(silent);
    return instance;
  }

  /** @returns null where the library gave up in good order, or decoded something else */
  private run(bytes: Uint8Array, expected: StreamHeader): WasmResult | null {
    this.instance ??= this.create();
    const decoder = new (this.instance[this.build.className] as new () => Decoder)();
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, componentCount } = decoder.getFrameInfo();
    const size = expected.precision > 8 ? 2 : 1;
    const decoded = new Uint8Array(decoder.getDecodedBuffer());
    const planar = decoder.getInterleaveMode?.() === 0;
    decoder.delete();
    if ((this.instance.HEAPU8?.length ?? 0) > KEPT_MEMORY) this.instance = null;
    if (width !== expected.columns || height !== expected.rows || componentCount !== expected.components
      || decoded.length !== expected.columns * expected.rows * expected.components * size) {
      return null;
    }
    return { samples: size === 1 ? decoded : new Uint16Array(decoded.buffer), planar };
  }

  /**
   * Decodes one stream whose header has been checked.
   *
   * @throws FormatError where the library fails in any way or gives another size
   */
  decode(bytes: Uint8Array, expected: StreamHeader): WasmResult {
    let result: WasmResult | null = null;
    try {
      result = this.run(bytes, expected);
    } catch {
      this.instance = null;
    }
    if (result) return result;
    throw new FormatError(
      `${this.operation}: the compressed image is damaged or cut short; export or download it again`,
    );
  }
}
