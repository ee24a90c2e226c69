import { describe, expect, it } from 'vitest';
import { findDicomImages } from './dicomSeries.ts';
import { commonSpecs, inOrder, pixelSpecs } from './fixtures/derivedSources.ts';
import { dicomFile, SYNTAX } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import { sourceOf } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

async function read(file: NamedBytes): Promise<Volume> {
  const { images } = await findDicomImages([sourceOf(file)]);
  return (images[0] ?? expect.fail('no image was found')).read();
}

const fixture = (name: string): Promise<Volume> => read(load(`dicom/${name}.dcm`));

/** An image of 3 × 2 pixels; later elements replace earlier ones of the same tag. */
function image(specs: readonly ElementSpec[], syntax?: string): Promise<Volume> {
  const common = inOrder(commonSpecs(SECONDARY_CAPTURE, 'OT'), pixelSpecs(16, 16, false), specs);
  return read(dicomFile('image', common, syntax));
}

const values = async (volume: Promise<Volume>): Promise<number[]> => [...(await volume).data];
const bytes = (...numbers: number[]): Uint8Array => Uint8Array.from(numbers);
const u8: readonly ElementSpec[] = [
  ['00280100', 'US', [8]], ['00280101', 'US', [8]], ['00280102', 'US', [7]],
];

describe('values', () => {
  it('are the same however they are encoded', async () => {
    const ct = (await fixture('synthetic/explicit_le')).data;
    const names = [
      'implicit_le', 'deflated', 'bits12_highbit15', 'BAD_declared_implicit_is_explicit', 'rle_u16',
      'no_preamble_no_meta_implicit', 'POLYGLOT_html_preamble', 'ODD_nested_200', 'BAD_pixeldata_length_4GiB',
    ];
    for (const name of names) expect((await fixture(`synthetic/${name}`)).data, name).toEqual(ct);
  });

  it('are not inverted for MONOCHROME1, which is told, and not changed by padding', async () => {
    const ct = (await fixture('synthetic/explicit_le')).data;
    const inverted = await fixture('synthetic/monochrome1');
    expect(inverted.data).toEqual(ct);
    expect(inverted.notices.join(' ')).toMatch(/low values shown bright \(MONOCHROME1\)/);
    expect((await fixture('synthetic/pixel_padding')).data).toEqual(ct);
  });

  it('keep a fractional rescale slope', async () => {
    const volume = await fixture('synthetic/pt_fractional_slope');
    expect(volume).toMatchObject({ modality: 'pet', units: 'Bq/mL' });
    expect(Math.max(...volume.data)).toBeCloseTo(603.008, 3);
  });

  it('are Hounsfield units in CT', async () => {
    expect(await fixture('pydicom/CT_small')).toMatchObject({ units: 'HU', modality: 'ct' });
    expect(await fixture('pydicom/MR_small')).toMatchObject({ units: 'raw', modality: 'mri' });
  });

  it('lose whatever lies beside the stored bits, wherever these are', async () => {
    // 0x0abc in bits 0–11 and in bits 4–15, rubbish beside it; as 12-bit two's complement 0xabc is −1348.
    const low = Array<number>(6).fill(0xfabc);
    const high = Array<number>(6).fill(0xabcf);
    const at = (highBit: number, signed: number, stored: number[]): Promise<number[]> => values(image([
      ['00280101', 'US', [12]], ['00280102', 'US', [highBit]], ['00280103', 'US', [signed]], ['7FE00010', 'OW', stored],
    ]));
    expect((await at(11, 0, low))[0]).toBe(0xabc);
    expect((await at(15, 0, high))[0]).toBe(0xabc);
    expect((await at(11, 1, low))[0]).toBe(-1348);
    expect((await at(15, 1, high))[5]).toBe(-1348);
  });

  it('may be 32 bits, signed and unsigned, and floats of both precisions, in both byte orders', async () => {
    const depth = (bits: number, signed: number): ElementSpec[] => [
      ['00280100', 'US', [bits]], ['00280101', 'US', [bits]], ['00280102', 'US', [bits - 1]],
      ['00280103', 'US', [signed]],
    ];
    for (const syntax of [SYNTAX.explicit, SYNTAX.bigEndian]) {
      const words = new DataView(new ArrayBuffer(24));
      [0, 1, 0x80000000, 0xffffffff, 65536, 7].forEach((word, index) =>
        words.setUint32(4 * index, word, syntax === SYNTAX.explicit));
      const large: ElementSpec = ['7FE00010', 'OL', new Uint8Array(words.buffer)];
      expect(await values(image([...depth(32, 0), large], syntax)))
        .toEqual([0, 1, 2 ** 31, Math.fround(2 ** 32 - 1), 65536, 7]);
      expect(await values(image([...depth(32, 1), large], syntax))).toEqual([0, 1, -(2 ** 31), -1, 65536, 7]);
      const numbers = [0.25, -1.5, 3 * 2 ** 34, 0, 1, -0.125];
      expect(await values(image([...depth(32, 0), ['7FE00008', 'OF', numbers]], syntax))).toEqual(numbers);
      expect(await values(image([...depth(64, 0), ['7FE00009', 'OD', numbers]], syntax))).toEqual(numbers);
    }
  });

  it('of single bits run on from frame to frame', async () => {
    const volume = await image([
      ['00280008', 'IS', '2'], ['00280100', 'US', [1]], ['00280101', 'US', [1]], ['00280102', 'US', [0]],
      ['7FE00010', 'OB', bytes(0b10_110101, 0b0000_1001)],
    ]);
    // From the lowest bit on: 101011 for the first frame, then 01 of the first byte and 1001 of the second.
    expect([...volume.data]).toEqual([1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1]);
  });

  it('go through a modality look-up table, constant beyond its ends', async () => {
    const lookup = (specs: ElementSpec[]): ElementSpec => ['00283000', 'SQ', [specs]];
    const stored: ElementSpec = ['7FE00010', 'OW', [0xfffe, 0xffff, 0, 1, 2, 0x7fff]];
    const signed: ElementSpec[] = [['00280103', 'US', [1]], ['00281053', 'DS', '9'], stored];
    const table = await image([...signed, lookup([
      ['00283002', 'SS', [3, 0xffff, 16]], ['00283004', 'LO', 'OD'], ['00283006', 'US', [100, 250, 60000]],
    ])]);
    // First stored value mapped −1: −2 and −1 → 100, 0 → 250, from 1 on → 60000.
    expect([...table.data]).toEqual([100, 100, 250, 60000, 60000, 60000]);
    expect(table.units).toBe('raw');
    const eightBits = await image([...signed, lookup([
      ['00283002', 'SS', [4, 0xffff, 8]], ['00283004', 'LO', 'OD'], ['00283006', 'OB', bytes(1, 2, 3, 4)],
    ])]);
    expect([...eightBits.data]).toEqual([1, 1, 2, 3, 4, 4]);
  });
});

describe('colour', () => {
  it('is shown by its brightness, and said so', async () => {
    for (const name of ['pydicom/SC_rgb_small_odd', 'pydicom/SC_rgb_small_odd_big_endian']) {
      const volume = await fixture(name);
      // pydicom 3.0.2: rows of (166, 141, 52), (63, 87, 176), (158, 158, 158); 0.299 R + 0.587 G + 0.114 B.
      [138.329, 138.329, 138.329, 89.97, 89.97, 89.97, 158, 158, 158]
        .forEach((grey, index) => expect(volume.data[index]).toBeCloseTo(grey, 4));
      expect(volume.notices.join(' ')).toMatch(/in colour; its brightness \(luma\) is shown/);
      expect(volume.units).toBe('raw');
    }
  });

  it('may lie by pixel or by plane', async () => {
    const rgb: ElementSpec[] = [...u8, ['00280002', 'US', [3]], ['00280004', 'CS', 'RGB']];
    const [red, green, blue] = [[255, 0, 0, 10, 20, 30], [0, 255, 0, 10, 40, 60], [0, 0, 255, 10, 80, 90]];
    const expected = [0, 1, 2, 3, 4, 5].map((at) =>
      Math.fround(0.299 * (red[at] ?? 0) + 0.587 * (green[at] ?? 0) + 0.114 * (blue[at] ?? 0)));
    const interleaved = red.flatMap((value, at) => [value, green[at] ?? 0, blue[at] ?? 0]);
    expect(await values(image([...rgb, ['00280006', 'US', [0]], ['7FE00010', 'OB', bytes(...interleaved)]])))
      .toEqual(expected);
    expect(await values(image([...rgb, ['00280006', 'US', [1]], ['7FE00010', 'OB', bytes(...red, ...green, ...blue)]])))
      .toEqual(expected);
  });

  it('of half resolution takes each pixel\'s own brightness', async () => {
    const volume = await fixture('pydicom/SC_ybr_full_422_uncompressed');
    // Column 50 by pydicom 3.0.2 through RGB, which rounds and clips each channel: up to 2 of 255 away.
    [75.946, 165.272, 150.255, 202.962, 28.956, 141.891, 0, 64, 192, 255].forEach((grey, index) =>
      expect(Math.abs((volume.data[(10 * index + 5) * 100 + 50] ?? NaN) - grey)).toBeLessThan(2));
  });

  it('of full resolution and of studio range comes from its first component', async () => {
    const ybr = (photometric: string): Promise<number[]> => values(image([
      ...u8, ['00280002', 'US', [3]], ['00280004', 'CS', photometric], ['00280006', 'US', [0]],
      ['7FE00010', 'OB', bytes(...[16, 235, 0, 255, 100, 126].flatMap((luma) => [luma, 90, 200]))],
    ]));
    expect(await ybr('YBR_FULL')).toEqual([16, 235, 0, 255, 100, 126]);
    // 16 is black and 235 white.
    const studio = await ybr('YBR_PARTIAL_422');
    expect(studio.slice(0, 2)).toEqual([0, 255]);
    expect(studio[5]).toBeCloseTo((126 - 16) * 255 / 219, 4);
  });

  it('of a palette is that of the entries', async () => {
    const volume = await fixture('pydicomdata/OBXXXX1A_rle');
    // By pydicom 3.0.2's apply_color_lut: mean, a white, a yellowish and a dark pixel.
    expect(volume.data.reduce((sum, value) => sum + value, 0) / volume.data.length).toBeCloseTo(3032.606, 2);
    [[7889, 65280], [75360, 54272], [3411, 14892.288]].forEach(([at = 0, grey = 0]) =>
      expect(volume.data[at]).toBeCloseTo(grey, 2));
  });

  it('of a segmented palette is expanded', async () => {
    const channel = (segments: number[]): Uint8Array => new Uint8Array(Uint16Array.from(segments).buffer);
    // Two discrete entries 10, 20; a ramp of 4 to 100; then the first segment (from byte 0) again.
    const grey = channel([0, 2, 10, 20, 1, 4, 100, 2, 1, 0, 0]);
    const palette: ElementSpec[] = [1, 2, 3].flatMap((index): ElementSpec[] => [
      [`0028110${index}`, 'US', [8, 0, 16]], [`0028122${index}`, 'OW', grey],
    ]);
    const volume = image([
      ...u8, ['00280004', 'CS', 'PALETTE COLOR'], ...palette, ['7FE00010', 'OB', bytes(0, 1, 3, 5, 7, 200)],
    ]);
    // The ramp is 40, 60, 80, 100; entries 6 and 7 are 10 and 20, and so is everything beyond.
    const found = await values(volume);
    [10, 20, 60, 100, 20, 20].forEach((value, index) => expect(found[index]).toBeCloseTo(value, 4));
  });

  it('that cannot be told is refused', async () => {
    const pixels: ElementSpec = ['7FE00010', 'OB', new Uint8Array(24)];
    await expect(image([...u8, ['00280002', 'US', [4]], ['00280004', 'CS', 'CMYK'], pixels]))
      .rejects.toThrow(/4 sample\(s\) per pixel in CMYK are not supported/);
    await expect(image([...u8, ['00280004', 'CS', 'PALETTE COLOR'], pixels]))
      .rejects.toThrow(/colour palette that is missing or damaged/);
  });
});
