import { describe, expect, it } from 'vitest';
import { load } from '../fixtures/load.ts';
import {
  COLUMNS, dicomFrame, encoded, expectRobust, frameOf, ROWS, statistics,
} from './frames.fixture.ts';
import { loadCodec } from './loadCodec.ts';

const extended = frameOf(encoded('steps12.extended.jpg'), { bitsStored: 12 });
const pixel = (samples: ArrayLike<number>, row: number, column: number, columns = 100): number[] =>
  [0, 1, 2].map((index) => samples[(row * columns + column) * 3 + index] ?? NaN);
const distance = (found: readonly number[], stated: readonly number[]): number =>
  Math.max(...found.map((value, index) => Math.abs(value - (stated[index] ?? NaN))));

describe('JPEG extended of 12 bits', () => {
  it('gives the very values of the Independent JPEG Group’s decoder (in DCMTK)', async () => {
    const raw = load('codecs/steps12.extended.raw').bytes;
    const { samples } = (await loadCodec('jpeg'))(extended);
    expect(samples).toEqual(new Uint16Array(raw.slice().buffer));
    expect(samples).toHaveLength(COLUMNS * ROWS);
  });

  it('gives the values that independent readers state of a DICOM file', async () => {
    const [low, high, mean] = statistics((await loadCodec('jpeg'))(dicomFrame('pydicom/JPGExtended.dcm')).samples);
    expect([low, high]).toEqual([0, 264]);
    // Seven significant digits are stated.
    expect(Math.abs(mean - 14.36999)).toBeLessThan(1e-5);
  });

  it('goes on after restart markers with fresh predictions', async () => {
    const segment = (marker: number, ...content: readonly number[]): number[] =>
      [0xff, marker, 0, content.length + 2, ...content];
    const lengths = (count: number): number[] => [count, ...new Array<number>(15).fill(0)];
    // Two blocks of 8 × 8: one DC code, 0, for differences of 7 bits, one AC code, 0, for the block's end.
    const stream = Uint8Array.from([
      0xff, 0xd8, ...segment(0xdb, 0, ...new Array<number>(64).fill(8)),
      ...segment(0xc1, 12, 0, 8, 0, 16, 1, 1, 0x11, 0),
      ...segment(0xc4, 0x00, ...lengths(1), 7), ...segment(0xc4, 0x10, ...lengths(1), 0), ...segment(0xdd, 0, 1),
      ...segment(0xda, 1, 1, 0, 0, 63, 0),
      // 0 1100100 0 and ones: a difference of 100; once more after the restart.
      0b01100100, 0b01111111, 0xff, 0xd0, 0b01100100, 0b01111111, 0xff, 0xd9,
    ]);
    const { samples } = (await loadCodec('jpeg'))(frameOf(stream, { rows: 8, columns: 16, bitsStored: 12 }));
    // 2048 + 100 · 8 / 8, and not 2248 in the second block.
    expect(samples).toEqual(new Uint16Array(128).fill(2148));
  });

  it('is refused or decodes to something where damaged, and harms nothing', async () => {
    expectRobust(await loadCodec('jpeg'), extended);
  });
});

describe('JPEG baseline in colour comes out as RGB', () => {
  it.each(['SC_rgb_dcmtk_+eb+cy+s4', 'SC_rgb_dcmtk_+eb+cy+np', 'SC_rgb_jpeg_lossy_gdcm'])(
    '%s, whose components are YCbCr', async (name) => {
      const { samples, rgb } = (await loadCodec('jpeg'))(dicomFrame(`pydicom/${name}.dcm`));
      expect(rgb).toBe(true);
      // The card's bars; lossy, and the greens and blues of subsampled chroma are off by a few.
      expect(distance(pixel(samples, 5, 50), [255, 0, 0])).toBeLessThanOrEqual(5);
      expect(distance(pixel(samples, 25, 50), [0, 255, 0])).toBeLessThanOrEqual(5);
      expect(distance(pixel(samples, 45, 50), [0, 0, 255])).toBeLessThanOrEqual(5);
      expect(distance(pixel(samples, 95, 50), [255, 255, 255])).toBeLessThanOrEqual(5);
    },
  );

  it('components named R, G, B under an Adobe segment without transform are left alone', async () => {
    const { samples, rgb } = (await loadCodec('jpeg'))(dicomFrame('pydicom/SC_rgb_dcmtk_+eb+cr.dcm'));
    expect(rgb).toBe(false);
    expect(distance(pixel(samples, 5, 50), [255, 0, 0])).toBeLessThanOrEqual(5);
    expect(distance(pixel(samples, 95, 50), [255, 255, 255])).toBeLessThanOrEqual(5);
  });

  it('so are components that share all tables, with or without an Adobe segment', async () => {
    const decode = await loadCodec('jpeg');
    const plain = decode(dicomFrame('pydicom/SC_jpeg_no_color_transform.dcm'));
    const told = decode(dicomFrame('pydicom/SC_jpeg_no_color_transform_2.dcm'));
    expect([plain.rgb, told.rgb]).toEqual([false, false]);
    // Two encodings of one picture, at different quality.
    const mean = statistics(plain.samples.map((value, index) => Math.abs(value - (told.samples[index] ?? NaN))))[2];
    expect(mean).toBeLessThan(2);
  });

  it('is refused or decodes to something where damaged, and harms nothing', async () => {
    expectRobust(await loadCodec('jpeg'), dicomFrame('pydicom/SC_rgb_dcmtk_+eb+cy+s4.dcm'));
  });
});

describe('JPEG that cannot be decoded', () => {
  it('is refused by what its header says', async () => {
    const decode = await loadCodec('jpeg');
    const lossless = await loadCodec('jpeg-lossless');
    const ls = await loadCodec('jpeg-ls');
    expect(() => decode(frameOf(encoded('steps.sv1.jpg')))).toThrow(/found JPEG process SOF3, expected SOF0 to SOF2/);
    expect(() => lossless(extended)).toThrow(/found JPEG process SOF1, expected SOF3/);
    expect(() => ls(extended)).toThrow(/found JPEG process SOF1, expected SOF55/);
    expect(() => decode({ ...extended, bitsAllocated: 8, bitsStored: 8 }))
      .toThrow(/12 bits per sample, .* allocates 8/);
    const cmyk = { samplesPerPixel: 4, bitsAllocated: 8, bitsStored: 8 };
    expect(() => decode(frameOf(load('jpeg/cmyk.jpg').bytes, cmyk))).toThrow(/4 component\(s\) of 8 bits/);
  });

  it('is refused for passing over a large picture too often', async () => {
    const { bytes } = load('jpeg/progressive.jpg');
    const copy = bytes.slice();
    const frame = copy.findIndex((byte, at) => byte === 0xff && copy[at + 1] === 0xc2);
    copy.set([0x20, 0, 0x20, 0], frame + 5);
    const start = copy.findIndex((byte, at) => byte === 0xff && copy[at + 1] === 0xda);
    const scans = Array.from({ length: 20 }, () => [...copy.subarray(start, start + 14), 0, 0]);
    const many = Uint8Array.from([...copy.subarray(0, start), ...scans.flat(), 0xff, 0xd9]);
    const decode = await loadCodec('jpeg');
    expect(() => decode({
      bytes: many, rows: 8192, columns: 8192, samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, signed: false,
    })).toThrow(/expected 1 to 67108864 samples/);
    copy.set([0x10, 0, 0x10, 0], frame + 5);
    const repeated = Array.from({ length: 80 }, () => [...copy.subarray(start, start + 14), 0, 0]);
    const bytes4096 = Uint8Array.from([...copy.subarray(0, start), ...repeated.flat(), 0xff, 0xd9]);
    expect(() => decode({
      bytes: bytes4096, rows: 4096, columns: 4096, samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, signed: false,
    })).toThrow(/80 scans are more than can be decoded/);
  });
});
