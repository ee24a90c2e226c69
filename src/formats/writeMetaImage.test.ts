import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { ramp, rampVolume } from './fixtures/ramp.ts';
import { readMetaImage } from './readMetaImage.ts';
import type { NumberType, Volume } from './volume.ts';
import { writeMetaImage } from './writeMetaImage.ts';

const reread = (bytes: Uint8Array): Promise<Volume> => readMetaImage({ name: 'written.mha', bytes }, async () => null);

/** Header fields, and the bytes after them. */
function parts(bytes: Uint8Array): { fields: Record<string, string>; body: Uint8Array } {
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('ElementDataFile = LOCAL\n') + 'ElementDataFile = LOCAL\n'.length;
  const lines = text.slice(0, end).trimEnd().split('\n');
  return { fields: Object.fromEntries(lines.map((line) => line.split(/ = (.*)/s))), body: bytes.subarray(end) };
}
const numbers = (text = ''): number[] => text.split(' ').map(Number);

/** Upright: 2 × 2.5 × 4 mm, columns to the left, rows to the back, in RAS. */
const UPRIGHT = [-2, 0, 0, 30, 0, -2.5, 0, -20, 0, 0, 4, -10, 0, 0, 0, 1];

describe('a written MetaImage', () => {
  it('says field by field what it holds, in LPS', () => {
    const { fields, body } = parts(writeMetaImage(rampVolume({ affine: UPRIGHT })));
    expect(fields).toMatchObject({
      ObjectType: 'Image', NDims: '3', BinaryData: 'True', BinaryDataByteOrderMSB: 'False', CompressedData: 'False',
      TransformMatrix: '1 0 0 0 1 0 0 0 1', Offset: '-30 20 -10', ElementSpacing: '2 2.5 4', DimSize: '5 4 3',
      ElementType: 'MET_SHORT', Comment: 'Restore-RWKV, not for diagnosis; HU',
    });
    expect([...new Int16Array(body.slice().buffer)]).toEqual(ramp());
  });

  it('re-reads with the same values, place, times and units', async () => {
    for (const gzip of [false, true]) {
      const volume = rampVolume({ times: 2 });
      const bytes = writeMetaImage(volume, { gzip });
      const { fields, body } = parts(bytes);
      expect(fields).toMatchObject({ NDims: '4', DimSize: '5 4 3 2' });
      expect(numbers(fields['TransformMatrix'])).toHaveLength(16);
      expect(numbers(fields['Offset'])).toHaveLength(4);
      if (gzip) {
        expect(inflateSync(body)).toHaveLength(2 * 5 * 4 * 3 * 2);
        expect(Number(fields['CompressedDataSize'])).toBe(body.length);
      }
      const again = await reread(bytes);
      expect(again).toMatchObject({ slices: 6, times: 2, units: 'HU', modality: 'ct' });
      expect(again.data).toEqual(volume.data);
      // Direction and size are multiplied again: a rounding of doubles up to 30.
      again.affine?.forEach((value, index) => expect(value).toBeCloseTo(volume.affine?.[index] ?? NaN, 12));
    }
  });

  it('holds every number type bit for bit', async () => {
    const types: NumberType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'];
    for (const type of types) {
      const data = Float32Array.from(ramp(), (value) => (type.startsWith('u') ? value + 50 : value));
      const again = await reread(writeMetaImage(rampVolume({ data, origin: { format: 'plain', type } })));
      expect(again.data).toEqual(data);
      expect(again.origin).toEqual({ format: 'plain', type });
    }
  });

  it('is as ITK’s own, written from what was read of it', async () => {
    const itk = load('metaimage/oblique_zlib.mha');
    const volume = await readMetaImage(itk, async () => null);
    const [own, stated] = [parts(writeMetaImage(volume)).fields, parts(itk.bytes).fields];
    for (const field of ['TransformMatrix', 'Offset', 'ElementSpacing']) {
      const found = numbers(own[field]);
      numbers(stated[field]).forEach((value, index) => expect(found[index]).toBeCloseTo(value, 12));
    }
    for (const field of ['DimSize', 'ElementType', 'NDims']) expect(own[field]).toBe(stated[field]);
  });

  it('without an affine has its voxel sizes alone', async () => {
    const bytes = writeMetaImage(rampVolume({ affine: null, spacing: { x: 1, y: 2, z: 3 } }));
    expect(parts(bytes).fields).not.toHaveProperty('TransformMatrix');
    expect(await reread(bytes)).toMatchObject({ spacing: { x: 1, y: 2, z: 3 } });
  });
});
