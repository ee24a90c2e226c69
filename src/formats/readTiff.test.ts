import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { ramp, RAMP } from './fixtures/ramp.ts';
import { isTiff, readTiff } from './readTiff.ts';
import type { NamedBytes, Volume } from './volume.ts';

const open = (name: string): Volume => readTiff(load(`tiff/${name}.tif`));
const raised = ramp().map((value) => value + 50);

/** float32 of numbers up to `most`. */
function expectValues({ data }: Volume, stated: readonly number[], most = 1): void {
  expect(data).toHaveLength(stated.length);
  const worst = stated.reduce((sum, value, index) => Math.max(sum, Math.abs((data[index] ?? NaN) - value)), 0);
  expect(worst).toBeLessThan(most * 2 ** -23);
}

/** The 97 × 67 texture that the larger fixtures hold. */
const texture = Array.from({ length: 97 * 67 }, (_, index) => {
  const [x, y] = [index % 97, Math.floor(index / 97)];
  return (x * x * 3 + y * y * 5 + x * y) % 251;
});

describe('pages as tifffile wrote them', () => {
  it('8 bits become [0, 1], one page a slice', () => {
    const volume = open('uint8_pages');
    expect(volume).toMatchObject({ ...RAMP, times: 1, format: 'tiff', origin: { format: 'picture', bitDepth: 8 } });
    expectValues(volume, raised.map((value) => value / 255));
  });

  it('16 bits, big endian, in tiles that reach beyond the edges', () => {
    const volume = open('uint16_big_tiles');
    expect(volume).toMatchObject({ columns: 40, rows: 32, slices: 1, origin: { format: 'picture', bitDepth: 16 } });
    const stated = Array.from({ length: 40 * 32 }, (_, index) => {
      const [column, row] = [Math.floor((index % 40) / 8), Math.floor(index / 40 / 8)];
      return (100 + 7 * row + 3 * column) * 200 / 65535;
    });
    expectValues(volume, stated);
  });

  it('floating point, signed and 32-bit numbers keep their values', () => {
    expectValues(open('float32_pages'), ramp().map((value) => value + 0.5), 100);
    expect(open('float32_pages').origin).toEqual({ format: 'plain', type: 'float32' });
    expectValues(open('float64_big'), ramp().slice(0, 20).map((value) => value / 3), 20);
    expectValues(open('int16'), ramp(), 100);
    expect(open('int16').origin).toEqual({ format: 'plain', type: 'int16' });
    expectValues(open('uint32'), raised.slice(0, 20).map((value) => value * 1e6), 1e8);
  });

  it('white is zero where the file says so', () => {
    expectValues(open('miniswhite'), raised.slice(0, 20).map((value) => 1 - value / 255));
  });

  it('colour, its samples side by side or apart, becomes luma', () => {
    const [red, green, blue] = [0, 1, 2].map((slice) => raised.slice(20 * slice, 20 * slice + 20));
    const luma = Array.from({ length: 20 }, (_, index) =>
      (0.299 * (red?.[index] ?? 0) + 0.587 * (green?.[index] ?? 0) + 0.114 * (blue?.[index] ?? 0)) / 255);
    for (const name of ['rgb_planar', 'rgb_deflate']) {
      expectValues(open(name), luma);
      expect(open(name).notices.join(' ')).toMatch(/colour/);
    }
  });

  it('deflate', () => {
    expectValues(open('deflate_predictor'), raised.slice(40).map((value) => value * 300 / 65535));
  });

  it('leaves pages of another size out, and says so', () => {
    const volume = open('mixed_pages');
    expect(volume.slices).toBe(2);
    expectValues(volume, [...raised.slice(0, 20), ...raised.slice(40)].map((value) => value / 255));
    expect(volume.notices).toContain('Pages of another size or kind were left out: 1.');
  });
});

describe('compressions as libtiff wrote them', () => {
  it('LZW, past the end of its table, with and without differences', () => {
    expectValues(open('lzw'), texture.map((value) => value / 255));
    expectValues(open('lzw_predictor16'), texture.map((value) => value * 257 / 65535));
    const luma = texture.map((value) => (0.299 * value + 0.587 * (255 - value) + 0.114 * (value >> 1)) / 255);
    expectValues(open('rgb_lzw_predictor'), luma);
  });

  it('floating point differences', () => {
    expectValues(open('float_predictor3'), texture.map((value) => Math.fround(value / 7)), 40);
  });

  it('PackBits', () => {
    // Each value of the ramp's first slice, 41 wide and 37 high.
    const stated = Array.from({ length: 205 * 148 }, (_, index) =>
      (raised[Math.floor((index % 205) / 41) + 5 * Math.floor(index / 205 / 37)] ?? NaN) / 255);
    expectValues(open('packbits'), stated);
  });

  it('palette as luma of its colours', () => {
    // Red, green, blue and white in turn.
    const palette = [0.299, 0.587, 0.114, 1];
    expectValues(open('palette'), raised.slice(0, 20).map((value) => palette[value % 4] ?? NaN), 2);
  });
});

describe('what cannot be read is refused in one sentence', () => {
  const refused = (file: NamedBytes, reason: RegExp): void => {
    expect(() => readTiff(file)).toThrow(expect.objectContaining({
      name: 'FormatError', message: expect.stringMatching(reason),
    }));
  };
  /** A little-endian TIFF of one directory at byte 8; entries are [tag, type, count, value]. */
  const directory = (entries: readonly (readonly number[])[], next = 0, pixels: readonly number[] = []): NamedBytes => {
    const view = new DataView(new ArrayBuffer(14 + 12 * entries.length + pixels.length));
    [0x49, 0x49, 42, 0, 8].forEach((byte, index) => view.setUint8(index, byte));
    view.setUint16(8, entries.length, true);
    entries.forEach(([tag = 0, type = 3, count = 1, value = 0], index) => {
      view.setUint16(10 + 12 * index, tag, true);
      view.setUint16(12 + 12 * index, type, true);
      view.setUint32(14 + 12 * index, count, true);
      view.setUint32(18 + 12 * index, value, true);
    });
    view.setUint32(10 + 12 * entries.length, next, true);
    pixels.forEach((byte, index) => view.setUint8(14 + 12 * entries.length + index, byte));
    return { name: 'x.tif', bytes: new Uint8Array(view.buffer) };
  };
  const grey = (width: number, height: number, strip: readonly [number, number], compression = 1): number[][] => [
    [256, 4, 1, width], [257, 4, 1, height], [258, 3, 1, 8], [259, 3, 1, compression], [262, 3, 1, 1],
    [273, 4, 1, strip[0]], [278, 4, 1, height], [279, 4, 1, strip[1]],
  ];

  it('other compressions, bit depths and BigTIFF, by name', () => {
    refused(load('tiff/jpeg.tif'), /^tiff: (JPEG|photometric interpretation 6) is not supported/);
    refused(load('tiff/one_bit.tif'), /1 bits of sample format 1 are not supported/);
    refused(load('tiff/bigtiff.tif'), /BigTIFF/);
  });

  it('opens what the refused files below are made from', () => {
    const volume = readTiff(directory(grey(2, 2, [110, 4]), 0, [0, 51, 102, 255]));
    expectValues(volume, [0, 0.2, 0.4, 1]);
  });

  it('pages that lead back to themselves', () => {
    refused(directory(grey(2, 2, [110, 4]), 8, [1, 2, 3, 4]), /leads back into itself/);
  });

  it('sizes that the bytes cannot hold', () => {
    refused(directory(grey(60_000, 60_000, [110, 4]), 0, [1, 2, 3, 4]), /60000 × 60000, expected 1 to/);
    refused(directory(grey(8192, 8192, [110, 4]), 0, [1, 2, 3, 4]), /cannot be held by 4 bytes/);
    refused(directory(grey(2, 2, [110, 2 ** 31]), 0, [1, 2, 3, 4]), /^tiff: /);
    refused(directory(grey(2, 2, [2 ** 31, 4]), 0, [1, 2, 3, 4]), /beyond the end of the file/);
    refused(directory(grey(0, 2, [110, 4]), 0, [1, 2, 3, 4]), /0 × 2/);
    const many = [[273, 4, 2 ** 30, 110], [278, 4, 1, 1], [279, 4, 2 ** 30, 110]];
    const strips = [...grey(2, 2, [110, 4]).slice(0, 5), ...many];
    refused(directory(strips, 0, [1, 2, 3, 4]), /^tiff: /);
  });

  it('streams that end early or refer to nothing', () => {
    for (const compression of [5, 8, 32773]) {
      refused(directory(grey(9, 9, [110, 4], compression), 0, [0x80, 0x7f, 0xff, 0xff]), /needs 81 bytes, found/);
    }
  });

  it('files cut anywhere', () => {
    for (const name of ['lzw', 'uint16_big_tiles', 'rgb_deflate']) {
      const { bytes } = load(`tiff/${name}.tif`);
      for (let length = 4; length < bytes.length - 100; length += 173) {
        refused({ name: 'x', bytes: bytes.subarray(0, length) }, /^tiff: .{20,}/);
      }
    }
  });

  it('is known by its magic', () => {
    expect(isTiff(load('tiff/uint16_big_tiles.tif').bytes)).toBe(true);
    expect(isTiff(load('tiff/bigtiff.tif').bytes)).toBe(true);
    expect(isTiff(new TextEncoder().encode('II am a text'))).toBe(false);
  });
});
