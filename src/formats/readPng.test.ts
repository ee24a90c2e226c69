import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readPng } from './readPng.ts';
import { writePng } from './writePng.ts';

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  /** Rows of packed samples, without filter bytes. */
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly number[];
  readonly extra?: readonly (readonly [string, Uint8Array])[];
}

function chunk(name: string, data: Uint8Array): number[] {
  const named = new Uint8Array([...new TextEncoder().encode(name), ...data]);
  const number = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return [...number(data.length), ...named, ...number(crc32(named))];
}

/** A PNG put together here by the specification, with Node's zlib. */
function png({ width, height, depth, colourType, rows, palette, extra = [] }: Picture) {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, depth);
  header.setUint8(9, colourType);
  const bytes = new Uint8Array([
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a,
    ...chunk('IHDR', new Uint8Array(header.buffer)),
    ...extra.flatMap(([name, data]) => chunk(name, data)),
    ...(palette ? chunk('PLTE', Uint8Array.from(palette)) : []),
    ...chunk('IDAT', deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])))),
    ...chunk('IEND', new Uint8Array(0)),
  ]);
  return { name: 'folder/knee.png', bytes };
}

/** float32 of numbers up to 1. */
const close = (found: Float32Array, stated: readonly number[]): void => {
  expect(found).toHaveLength(stated.length);
  stated.forEach((value, index) => expect(Math.abs((found[index] ?? NaN) - value)).toBeLessThan(1e-7));
};

describe('a PNG becomes one slice in [0, 1]', () => {
  it('8-bit grey, width ≠ height', () => {
    const volume = readPng(png({ width: 3, height: 2, depth: 8, colourType: 0, rows: [[0, 51, 255], [102, 1, 254]] }));
    expect([volume.columns, volume.rows, volume.slices, volume.name]).toEqual([3, 2, 1, 'knee']);
    close(volume.data, [0, 0.2, 1, 0.4, 1 / 255, 254 / 255]);
    expect(volume.origin).toEqual({ format: 'picture', bitDepth: 8 });
  });

  it('16-bit grey, high byte first', () => {
    const volume = readPng(png({ width: 2, height: 1, depth: 16, colourType: 0, rows: [[0x12, 0x34, 0xff, 0xff]] }));
    close(volume.data, [0x1234 / 65535, 1]);
    expect(volume.origin).toEqual({ format: 'picture', bitDepth: 16 });
  });

  it('packed grey of 1, 2 and 4 bits with rows that end within a byte', () => {
    close(readPng(png({ width: 3, height: 2, depth: 1, colourType: 0, rows: [[0b10100000], [0b01000000]] })).data,
      [1, 0, 1, 0, 1, 0]);
    close(readPng(png({ width: 3, height: 1, depth: 2, colourType: 0, rows: [[0b00011100]] })).data, [0, 1 / 3, 1]);
    close(readPng(png({ width: 3, height: 1, depth: 4, colourType: 0, rows: [[0x3f, 0x60]] })).data, [0.2, 1, 0.4]);
  });

  it('grey with alpha, whose alpha is ignored', () => {
    close(readPng(png({ width: 2, height: 1, depth: 8, colourType: 4, rows: [[51, 0, 255, 7]] })).data, [0.2, 1]);
  });

  it('colour and palette as luma, with a notice', () => {
    const rgb = readPng(png({ width: 2, height: 1, depth: 8, colourType: 2, rows: [[255, 0, 0, 0, 255, 0]] }));
    close(rgb.data, [0.299, 0.587]);
    const rgba = readPng(png({ width: 1, height: 1, depth: 8, colourType: 6, rows: [[0, 0, 255, 9]] }));
    close(rgba.data, [0.114]);
    const palette = [255, 255, 255, 0, 0, 0, 0, 255, 0];
    const indexed = readPng(png({ width: 3, height: 1, depth: 2, colourType: 3, rows: [[0b10000100]], palette }));
    close(indexed.data, [0.587, 1, 0]);
    for (const volume of [rgb, rgba, indexed]) expect(volume.notices.join(' ')).toMatch(/colour/);
  });
});

describe('hostile PNG', () => {
  const small: Picture = { width: 2, height: 2, depth: 8, colourType: 0, rows: [[1, 2], [3, 4]] };

  it('is refused by its declared size before anything is decoded', () => {
    expect(() => readPng(png({ ...small, width: 2 ** 31 - 1, height: 2 ** 31 - 1 })))
      .toThrow(/png: the picture is 2147483647 × 2147483647, expected 1 to 67108864 pixels/);
    expect(() => readPng(png({ ...small, width: 0 }))).toThrow(/expected 1 to/);
  });

  it('is refused where its data inflates to less or far more than the picture', () => {
    expect(() => readPng(png({ ...small, height: 3 }))).toThrow(/2 × 3 pixels need 9 bytes of rows, found 6/);
    const rows = Array.from({ length: 40_000 }, () => [0, 0]);
    expect(() => readPng(png({ ...small, rows }))).toThrow(/need 6 bytes of rows, found more/);
  });

  it('does not inflate colour profiles or text', () => {
    const bomb = new Uint8Array([0x61, 0, 0, ...deflateSync(new Uint8Array(1 << 24))]);
    close(readPng(png({ ...small, extra: [['iCCP', bomb], ['zTXt', bomb]] })).data, [1, 2, 3, 4].map((x) => x / 255));
  });

  it('is refused with one sentence wherever it is cut', () => {
    const { name, bytes } = png(small);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => readPng({ name, bytes: bytes.subarray(0, length) })).toThrow(/^png: [^\n]{20,}$/);
    }
  });

  it('is refused where a checksum is wrong', () => {
    const { name, bytes } = png(small);
    const copy = bytes.slice();
    copy[28] = 0;
    copy[20] = 1;
    expect(() => readPng({ name, bytes: copy })).toThrow(/^png: /);
  });
});

describe('a written PNG', () => {
  const values = Float32Array.of(0, 0.25, 0.5, 0.75, 1, 2, -1, NaN, 0.123456, 1 / 3, 0.9, 0.001);

  it('reads back within half a step, clamped, at both depths', () => {
    for (const bitDepth of [8, 16] as const) {
      const back = readPng({ name: 'x', bytes: writePng({ width: 4, height: 3, data: values }, bitDepth) });
      expect([back.columns, back.rows]).toEqual([4, 3]);
      expect(back.origin).toEqual({ format: 'picture', bitDepth });
      values.forEach((value, index) => {
        const clamped = Math.min(1, Math.max(0, value || 0));
        expect(Math.abs((back.data[index] ?? NaN) - clamped)).toBeLessThanOrEqual(0.5 / (2 ** bitDepth - 1) + 1e-7);
      });
    }
  });

  it('keeps RGBA bytes', () => {
    const data = Uint8Array.of(255, 0, 0, 255, 0, 0, 255, 255);
    close(readPng({ name: 'x', bytes: writePng({ width: 2, height: 1, data }) }).data, [0.299, 0.114]);
  });

  it('is refused for data of another size', () => {
    expect(() => writePng({ width: 4, height: 4, data: values })).toThrow(/4 × 4 pixels need 16 values, found 12/);
  });
});
