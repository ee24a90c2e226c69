import { parseDicom } from 'dicom-parser';
import { expect } from 'vitest';
import { load } from '../fixtures/load.ts';
import { FormatError } from '../volume.ts';
import type { Codec, EncodedFrame } from './codec.ts';

/** The picture that fixtures/codecs holds in many encodings, made by DCMTK, OpenJPH and Pillow from these formulas. */
export const COLUMNS = 37;
export const ROWS = 23;

function picture(value: (x: number, y: number) => readonly number[]): number[] {
  return Array.from({ length: COLUMNS * ROWS }, (_, index) =>
    [...value(index % COLUMNS, Math.floor(index / COLUMNS))]).flat();
}

/** 16 bits: slopes, and jumps of half the range. */
export const steps = picture((x, y) => [(x * 199 + y * y * 83 + ((x + y) % 11 === 0 ? 32768 : 0)) & 0xffff]);
export const rgb = picture((x, y) => [(x * 6) & 255, (y * 11) & 255, ((x + y) * 4) & 255]);

/** What the DICOM header would say of the 16-bit picture, or with changes of another. */
export function frameOf(bytes: Uint8Array, changes: Partial<EncodedFrame> = {}): EncodedFrame {
  return {
    bytes, rows: ROWS, columns: COLUMNS, samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, signed: false,
    ...changes,
  };
}

export const rgbFrame = (bytes: Uint8Array): EncodedFrame =>
  frameOf(bytes, { samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8 });

export const encoded = (name: string): Uint8Array => load(`codecs/${name}`).bytes;

/** Frame 0 of a DICOM fixture with one frame: all fragments joined, and its header. */
export function dicomFrame(path: string): EncodedFrame {
  const { bytes } = load(`dicom/${path}`);
  const set = parseDicom(bytes);
  const pixels = set.elements.x7fe00010;
  const parts = (pixels?.fragments ?? []).map(({ position, length }) => bytes.subarray(position, position + length));
  const whole = pixels?.fragments ? new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    : bytes.subarray(pixels?.dataOffset ?? 0, (pixels?.dataOffset ?? 0) + (pixels?.length ?? 0));
  parts.reduce((offset, part) => (whole.set(part, offset), offset + part.length), 0);
  return {
    bytes: whole,
    rows: set.uint16('x00280010') ?? 0,
    columns: set.uint16('x00280011') ?? 0,
    samplesPerPixel: set.uint16('x00280002') ?? 0,
    bitsAllocated: set.uint16('x00280100') ?? 0,
    bitsStored: set.uint16('x00280101') ?? 0,
    signed: set.uint16('x00280103') === 1,
  };
}

/** Smallest, largest and mean sample. */
export function statistics(samples: ArrayLike<number>): readonly [number, number, number] {
  let [low, high, sum] = [Infinity, -Infinity, 0];
  for (let index = 0; index < samples.length; index += 1) {
    const value = samples[index] ?? NaN;
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
  }
  return [low, high, sum / samples.length];
}

/** Decodes a stream that may be damaged: samples or one sentence, within 2 s. @returns whether it was refused */
function refuses(codec: Codec, frame: EncodedFrame): boolean {
  const start = performance.now();
  let refused = false;
  try {
    expect(codec(frame).samples).toHaveLength(frame.rows * frame.columns * frame.samplesPerPixel);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    expect(error.message).toMatch(/^[a-z0-9 -]+: [^\n]{20,}[^.]$/);
    refused = true;
  }
  expect(performance.now() - start).toBeLessThan(2000);
  return refused;
}

/**
 * Cuts a good frame short at a dozen places, which must be refused; flips bits in `flips` seeded ways, which may pass
 * where they lie in the pixels; lies about its size; and decodes the good frame again after each of these.
 */
export function expectRobust(codec: Codec, frame: EncodedFrame, flips = 60): void {
  const { bytes } = frame;
  const good = codec(frame).samples;
  const again = (): void => expect(codec(frame).samples).toEqual(good);
  for (let part = 0; part < 12; part += 1) {
    // A byte of padding and the end marker's two may be missing.
    const cut = { ...frame, bytes: bytes.subarray(0, Math.floor((bytes.length - 3) * part / 12)) };
    expect(refuses(codec, cut), `cut to ${cut.bytes.length} bytes`).toBe(true);
  }
  again();
  for (const lie of [{ rows: frame.rows + 1 }, { columns: frame.columns + 1 }, { rows: 0 }, { columns: 70_000 },
    { samplesPerPixel: 2 }, { bitsAllocated: 12 }, { rows: 60_000, columns: 60_000 }]) {
    expect(refuses(codec, { ...frame, ...lie }), JSON.stringify(lie)).toBe(true);
  }
  again();
  let seed = 20_260;
  const random = (limit: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(seed / 2 ** 32 * limit);
  };
  for (let flip = 0; flip < flips; flip += 1) {
    const copy = bytes.slice();
    // Every other one among the headers.
    const reach = flip % 2 === 0 ? bytes.length : Math.min(bytes.length, 120);
    for (let bit = 0; bit < 4; bit += 1) {
      const at = random(reach);
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
    }
    refuses(codec, { ...frame, bytes: copy });
  }
  again();
}
