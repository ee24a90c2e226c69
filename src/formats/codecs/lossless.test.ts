import { describe, expect, it } from 'vitest';
import { deflateRawSync } from 'node:zlib';
import type { CodecName } from '../transferSyntaxes.ts';
import {
  COLUMNS, dicomFrame, encoded, expectRobust, frameOf, rgb, rgbFrame, ROWS, statistics, steps,
} from './frames.fixture.ts';
import { loadCodec } from './loadCodec.ts';

type Case = readonly [name: Exclude<CodecName, 'native'>, file: string];

const GREY: readonly Case[] = [
  ['rle', 'steps.rle'],
  ['jpeg-ls', 'steps.jls'],
  ['jpeg-2000', 'steps.j2k'],
  ['htj2k', 'steps.rpcl.jhc'],
  ['htj2k', 'steps.lrcp.jhc'],
  ['htj2k', 'steps.tiled.jhc'],
  ...[1, 2, 3, 4, 5, 6, 7].map((predictor): Case => ['jpeg-lossless', `steps.sv${predictor}.jpg`]),
];

const COLOUR: readonly Case[] = [
  ['rle', 'rgb.rle'],
  ['jpeg-ls', 'rgb.none.jls'],
  ['jpeg-ls', 'rgb.line.jls'],
  ['jpeg-ls', 'rgb.sample.jls'],
  ['htj2k', 'rgb.jhc'],
];

describe('a lossless stream made by another program gives the picture back bit by bit', () => {
  for (const [name, file] of GREY) {
    it(`${name}: ${file}, 16 bits`, async () => {
      const { samples } = (await loadCodec(name))(frameOf(encoded(file)));
      expect(samples).toEqual(Uint16Array.from(steps));
    });

    it(`${name}: ${file}, of which 12 bits are stored and signed`, async () => {
      const { samples } = (await loadCodec(name))(frameOf(encoded(file), { bitsStored: 12, signed: true }));
      expect(samples).toEqual(Int16Array.from(steps, (value) => (value << 20) >> 20));
    });
  }

  for (const [name, file] of COLOUR) {
    it(`${name}: ${file}, colours pixel by pixel`, async () => {
      const decoded = (await loadCodec(name))(rgbFrame(encoded(file)));
      expect(decoded.samples).toEqual(Uint8Array.from(rgb));
      expect(decoded.samplesPerPixel).toBe(3);
      // Of these, only this stream declares a colour transform of its own.
      expect(decoded.rgb).toBe(name === 'htj2k');
    });
  }

  it('jpeg-2000 in a JP2 file, whose colour transform is turned back', async () => {
    // Pillow's default is the irreversible wavelet; at its rate that loses a few steps of 255.
    const { samples, rgb: turned } = (await loadCodec('jpeg-2000'))(rgbFrame(encoded('rgb.jp2')));
    expect(turned).toBe(true);
    samples.forEach((value, index) => expect(Math.abs(value - (rgb[index] ?? NaN))).toBeLessThanOrEqual(4));
  });
});

describe('a DICOM frame equals its uncompressed twin', () => {
  const { bytes } = dicomFrame('pydicom/MR_small.dcm');
  const twin = new Int16Array(bytes.slice().buffer);
  for (const [name, file] of [
    ['rle', 'MR_small_RLE'], ['jpeg-2000', 'MR_small_jp2klossless'], ['jpeg-ls', 'MR_small_jpeg_ls_lossless'],
  ] as const) {
    it(`${file}`, async () => {
      const { samples } = (await loadCodec(name))(dicomFrame(`pydicom/${file}.dcm`));
      expect(samples).toEqual(twin);
    });
  }

  it('in colour: RLE, JPEG lossless and JPEG 2000 of the same test card', async () => {
    const card = (await loadCodec('rle'))(dicomFrame('pydicom/SC_rgb_rle.dcm')).samples;
    // Red, white and black bars of the card.
    expect([...card.subarray((5 * 100 + 50) * 3, (5 * 100 + 50) * 3 + 3)]).toEqual([255, 0, 0]);
    expect([...card.subarray((65 * 100 + 50) * 3, (65 * 100 + 50) * 3 + 3)]).toEqual([0, 0, 0]);
    expect([...card.subarray((95 * 100 + 50) * 3, (95 * 100 + 50) * 3 + 3)]).toEqual([255, 255, 255]);
    expect((await loadCodec('jpeg-lossless'))(dicomFrame('pydicom/SC_rgb_jpeg_gdcm.dcm')).samples).toEqual(card);
  });

  it('JPEG 2000 of 16 tiles in 96 interleaved tile-parts, their number declared wrong, within a JP2 file', async () => {
    const { samples, rgb: turned } = (await loadCodec('jpeg-2000'))(dicomFrame('pydicom/GDCMJ2K_TextGBR.dcm'));
    expect(turned).toBe(true);
    // GDCM's means of red, green and blue.
    [122.5355375, 126.41963125, 124.352475].forEach((mean, colour) =>
      expect(statistics(samples.filter((_, index) => index % 3 === colour))[2]).toBeCloseTo(mean, 6));
  });

  it('RLE of 16 and 32 bits in colour', async () => {
    const rle = await loadCodec('rle');
    const card = rle(dicomFrame('pydicom/SC_rgb_rle.dcm')).samples;
    const wide = rle(dicomFrame('pydicom/SC_rgb_rle_16bit.dcm')).samples;
    const widest = rle(dicomFrame('pydicom/SC_rgb_rle_32bit.dcm')).samples;
    // The same card, with 255 stretched to the largest number.
    expect(wide).toEqual(Uint16Array.from(card, (value) => value * 257));
    expect(widest).toEqual(Uint32Array.from(card, (value) => value * 16_843_009));
  });
});

describe('values of lossy streams are those of independent readers (expected.tsv, before rescale)', () => {
  const cases = [
    ['jpeg-2000', 'JPEG2000', -30, 245, 13.45816],
    ['jpeg-2000', '693_J2KI', -3995 + 1024, 1812 + 1024, -1032.323 + 1024],
    ['jpeg-ls', 'JPEGLSNearLossless_08', 0, 255, 55.55556],
    ['jpeg-ls', 'JPEGLSNearLossless_16', 0, 65535, 12014.5],
  ] as const;
  for (const [name, file, ...stated] of cases) {
    it(file, async () => {
      const found = statistics((await loadCodec(name))(dicomFrame(`pydicom/${file}.dcm`)).samples);
      // Seven significant digits are stated.
      stated.forEach((value, index) =>
        expect(Math.abs((found[index] ?? NaN) - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value) + 1e-3));
    });
  }

  it('near-lossless JPEG-LS stays within its declared distance', async () => {
    const { samples } = (await loadCodec('jpeg-ls'))(frameOf(encoded('steps.near3.jls')));
    samples.forEach((value, index) => expect(Math.abs(value - (steps[index] ?? NaN))).toBeLessThanOrEqual(3));
  });
});

describe('frames without compression of their own', () => {
  const words = new Uint8Array(Uint16Array.from(steps).buffer);

  it('are taken as they are, and inflated', async () => {
    const expected = Uint16Array.from(steps);
    expect((await loadCodec('uncompressed'))(frameOf(words)).samples).toEqual(expected);
    expect((await loadCodec('deflate'))(frameOf(deflateRawSync(words))).samples).toEqual(expected);
  });

  it('may hold single bits, the lowest first', async () => {
    const bits = { bitsAllocated: 1, bitsStored: 1, rows: 3, columns: 5 };
    const expected = Uint8Array.from([1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 1]);
    const packed = Uint8Array.of(0b00001101, 0b01011001);
    expect((await loadCodec('uncompressed'))(frameOf(packed, bits)).samples).toEqual(expected);
    expect((await loadCodec('deflate'))(frameOf(deflateRawSync(packed), bits)).samples).toEqual(expected);
    const rle = new Uint8Array(67);
    rle.set([1, 0, 0, 0, 64]);
    rle.set([1, 0b00001101, 0b01011001], 64);
    expect((await loadCodec('rle'))(frameOf(rle, bits)).samples).toEqual(expected);
  });

  it('are refused where they are too short, too long, or in colour', async () => {
    const inflate = await loadCodec('deflate');
    expect(() => inflate(frameOf(deflateRawSync(words.subarray(2)))))
      .toThrow(/37 × 23 pixels need 1702 bytes, found 1700/);
    expect(() => inflate(frameOf(deflateRawSync(new Uint8Array(1 << 22))))).toThrow(/larger than/);
    expect(() => inflate(rgbFrame(deflateRawSync(words)))).toThrow(/3 samples per pixel are not supported/);
  });
});

describe('damaged streams are refused or decode to something, and harm nothing', () => {
  for (const [name, file] of [...GREY, ['jpeg-ls', 'steps.near3.jls'] as const]) {
    it(`${name}: ${file}`, async () => expectRobust(await loadCodec(name), frameOf(encoded(file))));
  }
  for (const [name, file] of COLOUR) {
    it(`${name}: ${file}`, async () => expectRobust(await loadCodec(name), rgbFrame(encoded(file))));
  }

  it('a table of RLE segments that lies', async () => {
    const rle = await loadCodec('rle');
    const good = encoded('steps.rle');
    const changed = (at: number, value: number): Uint8Array => {
      const copy = good.slice();
      new DataView(copy.buffer).setUint32(at, value, true);
      return copy;
    };
    expect(() => rle(frameOf(changed(0, 3)))).toThrow(/found 3 segments, expected 2/);
    expect(() => rle(frameOf(changed(4, 0xfffffff0)))).toThrow(/segment 1 begins at byte 4294967280/);
    expect(() => rle(frameOf(changed(8, 63)))).toThrow(/segment/);
    expect(() => rle(frameOf(good, { columns: COLUMNS * 100, rows: ROWS * 100 }))).toThrow(/cannot hold 3700 × 2300/);
  });

  it('JPEG 2000 whose size was overwritten with what looks like a DICOM delimiter', async () => {
    const frame = dicomFrame('pydicom/JPEG2000-embedded-sequence-delimiter.dcm');
    const decode = await loadCodec('jpeg-2000');
    expect(() => decode(frame)).toThrow(/divided into 14540801 tiles/);
  });
});

describe('JPEG 2000 that would keep a decoder busy', () => {
  const good = encoded('steps.rpcl.jhc');
  const coding = good.findIndex((byte, at) => byte === 0xff && good[at + 1] === 0x52);
  const changed = (at: number, bytes: readonly number[]): Uint8Array => {
    const copy = good.slice();
    copy.set(bytes, at);
    return copy;
  };

  it('is refused for tiles, layers, and blocks by its headers', async () => {
    const decode = await loadCodec('htj2k');
    // SIZ: XTsiz and YTsiz; 37 × 23 tiles of one pixel are within bounds, 0 is not.
    expect(() => decode(frameOf(changed(24, [0, 0, 0, 0])))).toThrow(/Infinity tiles/);
    const wide = { rows: 8000, columns: 8000 };
    const size = [0, 0, 31, 64];
    expect(() => decode(frameOf(changed(8, [...size, ...size, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9]), wide)))
      .toThrow(/divided into 790321 tiles/);
    // COD: the number of layers is bytes 6 and 7, the code-block's size bytes 10 and 11.
    expect(() => decode(frameOf(changed(coding + 10, [9, 9])))).toThrow(/coding style is damaged/);
    const small = changed(8, [...size, ...size, 0, 0, 0, 0, 0, 0, 0, 0, ...size, ...size]);
    small.set([0, 0], coding + 10);
    expect(() => decode(frameOf(small, wide))).toThrow(/parts, more than can be decoded/);
  });

  it('takes no more memory and time than the header allows for 8192 × 8192 pixels of nothing', async () => {
    const side = [0, 0, 32, 0];
    const lie = changed(8, [...side, ...side, 0, 0, 0, 0, 0, 0, 0, 0, ...side, ...side]);
    const start = performance.now();
    const decode = await loadCodec('htj2k');
    expect(() => decode(frameOf(lie, { rows: 8192, columns: 8192 }))).toThrow(/damaged/);
    expect(performance.now() - start).toBeLessThan(2000);
    expect(() => decode(frameOf(lie, { rows: 8193, columns: 8192 }))).toThrow(/expected 1 to 67108864 samples/);
  });
});

describe('a decoder', () => {
  it('is loaded once', async () => {
    expect(await loadCodec('jpeg-ls')).toBe(await loadCodec('jpeg-ls'));
  });

  it('keeps no memory of frames, good or bad', async () => {
    const decode = await loadCodec('jpeg-2000');
    const frame = dicomFrame('pydicom/693_J2KI.dcm');
    const bad = { ...frame, bytes: frame.bytes.slice() };
    bad.bytes.fill(0xa5, 700, 900);
    const run = (times: number): void => {
      for (let index = 0; index < times; index += 1) {
        decode(frame);
        try {
          decode(bad);
        } catch (error) {
          expect(error).toHaveProperty('name', 'FormatError');
        }
      }
    };
    run(20);
    const before = process.memoryUsage().rss;
    run(60);
    // 60 frames leaked would be 60 MiB of samples and 250 MiB of OpenJPEG's; garbage not yet collected is less.
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
  });
});
