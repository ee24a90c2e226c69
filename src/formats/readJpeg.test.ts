import { describe, expect, it } from 'vitest';
import { encoded } from './codecs/frames.fixture.ts';
import { load } from './fixtures/load.ts';
import { isJpeg, readJpeg } from './readJpeg.ts';
import { FormatError } from './volume.ts';

const refusal = (name: string, bytes: Uint8Array): Promise<unknown> =>
  readJpeg({ name, bytes }).then(() => null, (error: unknown) => error);

describe('a JPEG becomes one slice in [0, 1]', () => {
  // Pillow's decoder, luma by BT.601: mean, and two pixels at (row, column) 5, 7 and 20, 30.
  const stated = {
    grey: [0.4822054791364254, 0.19215686274509805, 0.8235294117647058],
    colour: [0.45702812377594987, 0.19731372549019607, 0.807392156862745],
    progressive: [0.45691042141886123, 0.19731372549019607, 0.807392156862745],
  } as const;
  for (const name of ['grey', 'colour', 'progressive'] as const) {
    it(name, async () => {
      const volume = await readJpeg(load(`jpeg/${name}.jpg`));
      expect([volume.columns, volume.rows, volume.slices, volume.times]).toEqual([37, 23, 1, 1]);
      expect([volume.name, volume.format, volume.origin]).toEqual([name, 'jpeg', { format: 'picture', bitDepth: 8 }]);
      const mean = volume.data.reduce((sum, value) => sum + value, 0) / volume.data.length;
      // Both are libjpeg-turbo, of different versions: one step of 255 a pixel, far less on the whole.
      [mean, volume.data[5 * 37 + 7], volume.data[20 * 37 + 30]].forEach((value, index) =>
        expect(Math.abs((value ?? NaN) - stated[name][index as 0 | 1 | 2])).toBeLessThan(index === 0 ? 5e-4 : 4.1e-3));
      expect(volume.notices.join(' ')).toMatch(name === 'grey' ? /^$/ : /colour/);
    });
  }

  it('of 12 and 16 bits too', async () => {
    const twelve = await readJpeg({ name: 'a/scan.jpeg', bytes: encoded('steps12.extended.jpg') });
    expect([twelve.name, twelve.origin]).toEqual(['scan', { format: 'picture', bitDepth: 16 }]);
    const raw = new Uint16Array(load('codecs/steps12.extended.raw').bytes.slice().buffer);
    expect(twelve.data).toEqual(Float32Array.from(raw, (value) => value / 4095));
    const sixteen = await readJpeg({ name: 'x', bytes: encoded('steps.sv6.jpg') });
    // Row 1, column 2 of the picture: 2 · 199 + 83.
    expect(sixteen.data[37 + 2]).toBeCloseTo(481 / 65535, 7);
  });
});

describe('hostile JPEG', () => {
  const { bytes } = load('jpeg/colour.jpg');

  it('is refused with one sentence wherever it is cut', async () => {
    for (let length = 0; length < bytes.length - 2; length += 7) {
      const error = await refusal('x.jpg', bytes.subarray(0, length));
      expect(error).toBeInstanceOf(FormatError);
      expect((error as FormatError).message).toMatch(/^jpeg: [^\n]{20,}[^.]$/);
    }
  });

  it('is refused by its declared size, and for colours that are not read', async () => {
    const copy = bytes.slice();
    const frame = copy.findIndex((byte, at) => byte === 0xff && copy[at + 1] === 0xc0);
    copy.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    expect(await refusal('x', copy)).toHaveProperty('message', expect.stringMatching(/65535 × 65535, expected 1 to/));
    copy.set([0, 0, 0, 9], frame + 5);
    expect(await refusal('x', copy)).toHaveProperty('message', expect.stringMatching(/9 × 0, expected 1 to/));
    expect(await refusal('x', load('jpeg/cmyk.jpg').bytes))
      .toHaveProperty('message', expect.stringMatching(/found 4 colour components/));
  });

  it('is known by its first bytes', () => {
    expect(isJpeg(bytes)).toBe(true);
    expect(isJpeg(load('codecs/rgb.jp2').bytes)).toBe(false);
    expect(isJpeg(new Uint8Array(0))).toBe(false);
  });
});
