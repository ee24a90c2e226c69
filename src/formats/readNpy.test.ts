import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { ramp, RAMP } from './fixtures/ramp.ts';
import { isNpy, readNpy } from './readNpy.ts';
import type { NamedBytes, Volume } from './volume.ts';

const open = (name: string): Volume => readNpy(load(`npy/${name}.npy`));
const shape = ({ columns, rows, slices, times }: Volume): number[] => [times, slices, rows, columns];

/** An array of version 1 with the given header and body. */
function array(header: string, body: readonly number[] = [1, 2, 3, 4, 5, 6]): NamedBytes {
  const text = new TextEncoder().encode(header);
  const length = [text.length & 255, text.length >> 8];
  return { name: 'a.npy', bytes: Uint8Array.from([0x93, ...Buffer.from('NUMPY'), 1, 0, ...length, ...text, ...body]) };
}

describe('arrays as NumPy saved them', () => {
  it('three axes are slices, rows and columns', () => {
    const volume = open('int16_3d');
    expect(volume).toMatchObject({ ...RAMP, times: 1, format: 'npy', units: 'raw', affine: null, spacing: null });
    expect([...volume.data]).toEqual(ramp());
    expect(volume.origin).toEqual({ format: 'plain', type: 'int16' });
  });

  it('four axes are times, slices, rows and columns; big endian', () => {
    const volume = open('big_int32_4d');
    expect(shape(volume)).toEqual([2, 6, 4, 5]);
    expect([...volume.data]).toEqual(ramp(2));
  });

  it('Fortran’s order gives the same image', () => {
    expect([...open('fortran_float64').data]).toEqual(ramp().map((value) => value + 0.25));
    expect([...open('int64_fortran_4d').data]).toEqual(ramp(2));
  });

  it('half floats, booleans, 64-bit integers, and versions 2 and 3', () => {
    const half = open('float16_2d');
    expect(shape(half)).toEqual([1, 1, 4, 5]);
    // Eighths up to 13 are exact in half precision.
    expect([...half.data]).toEqual(ramp().slice(20, 40).map((value) => value / 8));
    expect([...open('bool_2d').data]).toEqual(ramp().slice(0, 20).map((value) => (value % 2 === 0 ? 1 : 0)));
    expect([...open('uint64').data]).toEqual(ramp().map((value) => value + 50));
    expect([...open('version2').data]).toEqual(ramp());
    expect([...open('version3').data]).toEqual(ramp().map((value) => value + 50));
  });
});

describe('half precision', () => {
  it('keeps subnormals, infinities and NaN', () => {
    // Bit patterns of IEEE 754 binary16: 2^-24, −2, ∞, NaN, 65504, −1023 · 2^-24.
    const body = [0x01, 0x00, 0x00, 0xc0, 0x00, 0x7c, 0x01, 0x7e, 0xff, 0x7b, 0xff, 0x83];
    const { data } = readNpy(array("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", body));
    expect([...data]).toEqual([2 ** -24, -2, Infinity, NaN, 65504, -1023 * 2 ** -24]);
  });
});

describe('what cannot be read is refused in one sentence', () => {
  const refused = (file: NamedBytes, reason: RegExp): void => {
    expect(() => readNpy(file)).toThrow(expect.objectContaining({
      name: 'FormatError', message: expect.stringMatching(reason),
    }));
  };

  it('complex numbers, objects, whose pickle is never read, and structures', () => {
    refused(load('npy/complex.npy'), /^npy: dtype 'c8' is not supported; save real numbers/);
    refused(load('npy/object.npy'), /dtype 'O' is not supported/);
    refused(load('npy/structured.npy'), /dtype \[.* is not supported/);
  });

  it('shapes that are no image', () => {
    for (const shape of ['()', '(6,)', '(0, 6)', '(2, 99999999999999999999)']) {
      refused(array(`{'descr': '|u1', 'fortran_order': False, 'shape': ${shape}, }`), /^npy: /);
    }
  });

  it('headers that are more than the three entries', () => {
    refused(array("{'descr': '|u1', 'fortran_order': False, 'shape': (2, __import__('os')), }"), /header is damaged/);
    refused(array("{'descr': '|u1', 'x': 1, 'fortran_order': False, 'shape': (2, 3), }"), /header is damaged/);
    refused(array("['descr']"), /header is damaged/);
    expect([...readNpy(array("{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1'}")).data])
      .toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('sizes that the bytes cannot hold', () => {
    refused(array("{'descr': '<f8', 'fortran_order': False, 'shape': (30000, 30000), }"), /need .* can hold only/);
    const { bytes } = load('npy/big_int32_4d.npy');
    for (let length = 6; length < bytes.length; length += 31) {
      refused({ name: 'x', bytes: bytes.subarray(0, length) }, /^npy: .{20,}/);
    }
    expect(isNpy(bytes)).toBe(true);
  });
});
