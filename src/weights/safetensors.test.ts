import { describe, expect, it } from 'vitest';
import { WeightsError } from './errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import type { StoredTensor } from './tensor.ts';

/** A file put together by hand: header JSON (unpadded, so that the data lies at any alignment) and data. */
function file(header: unknown, data: ArrayLike<number> = [], claimed?: bigint): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

describe('readSafetensors', () => {
  it.each<[string, number[], Float32Array | Float64Array]>([
    // 1, −2, the smallest subnormal, the largest number, infinity
    ['F16', [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x00, 0x7c],
      Float32Array.of(1, -2, 2 ** -24, 65504, Infinity)],
    ['BF16', [0x80, 0x3f, 0x49, 0xc0], Float32Array.of(1, -3.140625)],
    ['F32', [0x00, 0x00, 0x80, 0x3f], Float32Array.of(1)],
    ['F64', [0, 0, 0, 0, 0, 0, 0x04, 0xc0], Float64Array.of(-2.5)],
    ['I64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Float64Array.of(-1)],
    ['U64', [0, 0, 0, 0, 1, 0, 0, 0], Float64Array.of(2 ** 32)],
    ['I32', [0xfe, 0xff, 0xff, 0xff], Float64Array.of(-2)],
    ['U32', [0xfe, 0xff, 0xff, 0xff], Float64Array.of(2 ** 32 - 2)],
    ['I16', [0xff, 0x7f], Float64Array.of(32767)],
    ['U16', [0xff, 0xff], Float64Array.of(65535)],
    ['I8', [0x80], Float64Array.of(-128)],
    ['U8', [0x80], Float64Array.of(128)],
    ['BOOL', [0, 1], Float64Array.of(0, 1)],
  ])('decodes %s, aligned or not', (dtype, data, expected) => {
    for (const padding of ['', 'a', 'ab', 'abc', 'abcd', 'abcde']) {
      const header = {
        __metadata__: { padding },
        x: { dtype, shape: [expected.length], data_offsets: [0, data.length] },
      };
      const { tensors, metadata } = readSafetensors(file(header, data));
      expect(tensors.get('x')).toEqual({ shape: [expected.length], data: expected });
      expect(metadata).toEqual({ padding });
    }
  });

  it('reads a view into a larger buffer, leaving it untouched', () => {
    const inner = file({ x: { dtype: 'F32', shape: [], data_offsets: [0, 4] } }, [0, 0, 0, 0x40]);
    const outer = new Uint8Array(inner.length + 9).fill(0xee);
    outer.set(inner, 5);
    const { tensors } = readSafetensors(outer.subarray(5, 5 + inner.length));
    expect(tensors.get('x')).toEqual({ shape: [], data: Float32Array.of(2) });
    expect(outer[4]).toBe(0xee);
  });

  const f32 = (shape: unknown, from: unknown, to: unknown) => ({ dtype: 'F32', shape, data_offsets: [from, to] });
  it.each<[string, Uint8Array, RegExp]>([
    ['shorter than its header length', Uint8Array.of(1, 2, 3), /has 3 bytes/],
    ['with a header beyond the file', file('{}', [], 2n ** 63n), /header claims 9223372036854776000 bytes/],
    ['that is not JSON', file('{"x":'), /not JSON/],
    ['that is not UTF-8', file({}, [], 2n).map((byte, i) => (i === 8 ? 0xff : byte)), /not JSON/],
    ['whose header is a list', file('[]'), /not a JSON object/],
    ['whose header is null', file('null'), /not a JSON object/],
    ['whose tensor is a number', file({ x: 3 }), /x is not described by a JSON object/],
    ['with an unknown dtype', file({ x: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, [0]), /F8_E4M3/],
    ['with a dtype of Object.prototype', file({ x: { dtype: 'toString', shape: [], data_offsets: [0, 0] } }), /dtype/],
    ['with a negative size', file({ x: f32([-1, -1], 0, 4) }, [0, 0, 0, 0]), /shape/],
    ['with a size that is no integer', file({ x: f32([1e300], 0, 4) }, [0, 0, 0, 0]), /shape/],
    ['with offsets beyond the data', file({ x: f32([2 ** 29], 0, 2 ** 31) }, [0, 0]), /bytes 0 to 2147483648 .* 2 b/],
    ['with offsets in reverse', file({ x: f32([0], 4, 0) }, [0, 0, 0, 0]), /bytes 4 to 0/],
    ['with one offset', file({ x: { dtype: 'F32', shape: [1], data_offsets: [4] } }, [0, 0, 0, 0]), /data_offsets/],
    ['whose shape needs other bytes', file({ x: f32([2], 0, 4) }, [0, 0, 0, 0]), /needs 8 bytes but has 4/],
    ['with sizes whose product overflows', file({ x: f32([2 ** 40, 2 ** 40], 0, 4) }, [0, 0, 0, 0]), /but has 4/],
    ['with overlapping tensors', file({ x: f32([1], 0, 4), y: f32([1], 0, 4) }, [0, 0, 0, 0]), /y begins at byte 0/],
    ['with a gap', file({ x: f32([1], 4, 8) }, [0, 0, 0, 0, 0, 0, 0, 0]), /x begins at byte 4/],
    ['with bytes left over', file({ x: f32([1], 0, 4) }, [0, 0, 0, 0, 0]), /end at byte 4 of 5/],
    ['with metadata that is no text', file({ __metadata__: { a: 1 } }), /entry a is number, expected a string/],
    ['with metadata that is a list', file({ __metadata__: [] }), /__metadata__ is not a JSON object/],
  ])('refuses a file %s', (_, bytes, expected) => {
    expect(() => readSafetensors(bytes)).toThrow(expected);
    expect(() => readSafetensors(bytes)).toThrow(WeightsError);
    expect(() => readSafetensors(bytes)).not.toThrow(/\n/);
  });
});

describe('writeSafetensors', () => {
  it('is read back with the same names, shapes, values and metadata', () => {
    const tensors = new Map<string, StoredTensor>([
      ['a.weight', { shape: [1, 3], data: Float32Array.of(1.5, -0, 3e-45) }],
      ['__proto__', { shape: [], data: Float64Array.of(Math.PI) }],
      ['empty', { shape: [0, 7], data: new Float32Array(0) }],
      ['größe', { shape: [2], data: Float64Array.of(Number.MAX_VALUE, Number.MIN_VALUE) }],
    ]);
    const metadata = { format: 'pt', note: 'naïve "quotes"\nand lines' };
    const back = readSafetensors(writeSafetensors(tensors, metadata));
    expect(back.metadata).toEqual(metadata);
    expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()));
    for (const [name, tensor] of tensors) expect(back.tensors.get(name), name).toEqual(tensor);
  });

  it('starts the data, and every float64, at a multiple of 8 bytes as the format asks', () => {
    const bytes = writeSafetensors(
      new Map<string, StoredTensor>([
        ['odd', { shape: [1], data: Float32Array.of(1) }],
        ['double', { shape: [1], data: Float64Array.of(2) }],
      ]),
      {},
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string, { dtype: string; data_offsets: number[] }
    >;
    expect((8 + length) % 8).toBe(0);
    expect(header['double']).toMatchObject({ dtype: 'F64', data_offsets: [0, 8] });
    expect(header['odd']).toMatchObject({ dtype: 'F32', data_offsets: [8, 12] });
    expect(new DataView(bytes.buffer).getFloat64(8 + length, true)).toBe(2);
  });

  it('writes a part of a larger array alone', () => {
    const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { tensors } = readSafetensors(writeSafetensors(new Map([['x', { shape: [2], data }]]), {}));
    expect(tensors.get('x')?.data).toEqual(Float32Array.of(2, 3));
  });

  it('refuses data that does not fit its shape', () => {
    const wrong = new Map([['x', { shape: [3], data: new Float32Array(2) }]]);
    expect(() => writeSafetensors(wrong, {})).toThrow(/x has shape \[3\] but 2 elements/);
  });
});
