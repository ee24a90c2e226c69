import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { inFolder, ramp, RAMP } from './fixtures/ramp.ts';
import { isMetaImage, metaImageDataFiles, readMetaImage } from './readMetaImage.ts';
import type { NamedBytes, Volume } from './volume.ts';

const open = (name: string): Promise<Volume> => readMetaImage(load(`metaimage/${name}`), inFolder('metaimage'));
const alone = async (): Promise<null> => null;

/** A header of the given fields, over those of a 2 × 1 × 2 image, and what follows it. */
function image(over: Record<string, string>, body: string | Uint8Array = new Uint8Array([1, 2, 3, 4])): NamedBytes {
  const fields = { ObjectType: 'Image', NDims: '3', DimSize: '2 1 2', ElementType: 'MET_UCHAR', ...over };
  const { ElementDataFile = 'LOCAL', ...rest } = fields as Record<string, string>;
  const all = [...Object.entries(rest), ['ElementDataFile', ElementDataFile]];
  const lines = all.map(([key, value]) => `${key} = ${value}`);
  const header = new TextEncoder().encode(`${lines.join('\n')}\n`);
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { name: 'made.mha', bytes: new Uint8Array([...header, ...bytes]) };
}

/**
 * What ITK was given: axes turned by 20° about z, then 10° about x, in LPS; 2 × 2.5 × 4 mm; first voxel at (30, −20,
 * −10). Column k of the direction matrix is axis k; the first two rows change sign in RAS.
 */
const [sin20, cos20, sin10, cos10] = [20, 10].flatMap((degrees) =>
  [Math.sin(degrees * Math.PI / 180), Math.cos(degrees * Math.PI / 180)]) as [number, number, number, number];
const RAS = [
  -2 * cos20, 2.5 * sin20, 0, -30,
  -2 * cos10 * sin20, -2.5 * cos10 * cos20, 4 * sin10, 20,
  2 * sin10 * sin20, 2.5 * sin10 * cos20, 4 * cos10, -10,
  0, 0, 0, 1,
];

function expectAffine({ affine }: Volume): void {
  expect(affine).toHaveLength(16);
  // ITK printed 17 digits of numbers up to 30.
  RAS.forEach((value, index) => expect(affine?.[index]).toBeCloseTo(value, 12));
}

describe('MetaImages as ITK wrote them', () => {
  it('oblique and compressed, its rows of TransformMatrix being the axes', async () => {
    const volume = await open('oblique_zlib.mha');
    expect(volume).toMatchObject({ ...RAMP, times: 1, format: 'metaimage', spacing: { x: 2, y: 2.5, z: 4 } });
    expect([...volume.data]).toEqual(ramp());
    expect(volume.origin).toEqual({ format: 'plain', type: 'int16' });
    expectAffine(volume);
    expect(volume.notices).toEqual([]);
  });

  it('a detached header with its file of doubles', async () => {
    const volume = await open('detached_itk.mhd');
    expect([...volume.data]).toEqual(ramp().map((value) => Math.fround(value / 3)));
    expectAffine(volume);
    expect(metaImageDataFiles(load('metaimage/detached_itk.mhd'))).toEqual(['detached_itk.raw']);
  });

  it('colour becomes luma', async () => {
    const volume = await open('rgb.mha');
    const raised = (ramp()[23] ?? 0) + 50;
    const luma = 0.299 * raised + 0.587 * (255 - raised) + 0.114 * (raised >> 1);
    expect(volume.data[23]).toBeCloseTo(luma, 4);
    expect(volume).toMatchObject({ ...RAMP, times: 1 });
  });

  it('other channels become times', async () => {
    const volume = await open('vector.mha');
    expect(volume).toMatchObject({ ...RAMP, slices: 6, times: 2 });
    expect([...volume.data]).toEqual(ramp(2)); // the second channel was 100 higher
  });
});

describe('odd headers', () => {
  it('two and four dimensions', async () => {
    const flat = await readMetaImage(image({ NDims: '2', DimSize: '2 2', TransformMatrix: '0 1 -1 0', Offset: '5 6',
      ElementSpacing: '3 4' }), alone);
    expect(flat).toMatchObject({ columns: 2, rows: 2, slices: 1, spacing: { x: 3, y: 4, z: 1 } });
    expect(flat.affine).toEqual([0, 4, 0, -5, -3, 0, 0, -6, 0, 0, 1, 0, 0, 0, 0, 1]);
    const series = await readMetaImage(image({ NDims: '4', DimSize: '1 1 2 2', ElementSpacing: '1 1 3 9' }), alone);
    expect(series).toMatchObject({ slices: 4, times: 2, spacing: { z: 3 } });
  });

  it('text, big endian, MET_LONG of 4 bytes, header sizes, gzip instead of zlib', async () => {
    const values = async (over: Record<string, string>, body: string | Uint8Array): Promise<number[]> =>
      [...(await readMetaImage(image(over, body), alone)).data];
    expect(await values({ BinaryData: 'False' }, '1 2\n-3.5 4')).toEqual([1, 2, -3.5, 4]);
    const big = Uint8Array.from([0, 1, 255, 255, 0, 3, 0, 4]);
    expect(await values({ ElementType: 'MET_SHORT', ElementByteOrderMSB: 'True' }, big)).toEqual([1, -1, 3, 4]);
    const long = new Uint8Array(Int32Array.of(1, 2, -3, 4).buffer);
    expect(await values({ ElementType: 'MET_LONG' }, long)).toEqual([1, 2, -3, 4]);
    expect(await values({ HeaderSize: '-1' }, Uint8Array.from([9, 9, 1, 2, 3, 4]))).toEqual([1, 2, 3, 4]);
    const voxels = Uint8Array.from([1, 2, 3, 4]);
    expect(await values({ CompressedData: 'True' }, new Uint8Array(gzipSync(voxels)))).toEqual([1, 2, 3, 4]);
    expect(await values({ CompressedData: 'True' }, new Uint8Array(deflateSync(voxels)))).toEqual([1, 2, 3, 4]);
  });

  it('one data file a slice, by list or by number, and bytes before the voxels', async () => {
    const find = async (name: string): Promise<Uint8Array | null> =>
      ({ 'a1.raw': Uint8Array.of(9, 1, 2), 'a2.raw': Uint8Array.of(9, 3, 4) })[name] ?? null;
    const list = image({ ElementDataFile: 'LIST', HeaderSize: '1' }, 'a1.raw\nsome/a2.raw\n');
    expect([...(await readMetaImage(list, find)).data]).toEqual([1, 2, 3, 4]);
    const numbered = image({ ElementDataFile: 'a%d.raw 1 2 1', HeaderSize: '1' }, '');
    expect([...(await readMetaImage(numbered, find)).data]).toEqual([1, 2, 3, 4]);
    expect(metaImageDataFiles(numbered)).toEqual(['a1.raw', 'a2.raw']);
  });

  it('says what the header leaves open', async () => {
    const volume = await readMetaImage(image({ Comment: 'SUV' }), alone);
    expect(volume).toMatchObject({ spacing: null, units: 'SUV', modality: 'pet' });
    expect(volume.notices.join(' ')).toMatch(/how large.*left and right may be exchanged/);
  });
});

describe('what cannot be read is refused in one sentence', () => {
  const refused = async (file: NamedBytes, reason: RegExp): Promise<void> =>
    expect(readMetaImage(file, alone)).rejects
      .toMatchObject({ name: 'FormatError', message: expect.stringMatching(reason) });

  it('headers that make no sense', async () => {
    await refused(image({ NDims: '5' }), /NDims is 5, expected 2, 3 or 4/);
    for (const DimSize of ['2 1', '0 1 2', '-2 1 2', '2 1 x', '1e9 1e9 1e9']) {
      await refused(image({ DimSize }), /^metaimage: /);
    }
    await refused(image({ ElementType: 'MET_STRING' }), /ElementType "MET_STRING" is not supported/);
    await refused(image({ ElementNumberOfChannels: '1000000' }), /ElementNumberOfChannels is not 1 to 4096/);
    await refused(image({ TransformMatrix: '1 0 0' }), /TransformMatrix is "1 0 0", expected 9 numbers/);
    await refused(image({ HeaderSize: '-7' }), /HeaderSize/);
    expect((await readMetaImage(image({ TransformMatrix: '1 0 0 1 0 0 0 0 1' }), alone)).affine).toBeNull();
  });

  it('missing, short and lying data', async () => {
    await refused(load('metaimage/detached_itk.mhd'), /voxels lie in detached_itk\.raw, which is not there/);
    await refused(image({ ElementDataFile: '/etc/passwd' }), /lie in passwd/);
    await refused(image({}, new Uint8Array(3)), /4 voxels of uint8 need 4 bytes, the file can hold only 3/);
    await refused(image({ DimSize: '30000 30000 30000' }), /can hold only 4/);
    const bomb = new Uint8Array(deflateSync(new Uint8Array(1 << 20)));
    await refused(image({ DimSize: '2048 2048 1', CompressedData: 'True' }, bomb), /can hold only|breaks after/);
    await refused(image({ BinaryData: 'False' }, '1 2 3'), /4 numbers were declared|number 4 of 4 is missing/);
  });

  it('a file cut anywhere', async () => {
    const whole = load('metaimage/oblique_zlib.mha');
    // The last four bytes are zlib's checksum.
    for (let length = 40; length < whole.bytes.length - 6; length += 9) {
      await refused({ name: 'x', bytes: whole.bytes.subarray(0, length) }, /^metaimage: .{20,}/);
    }
  });

  it('is known by its first lines, and other objects are not images', () => {
    expect(isMetaImage(load('metaimage/rgb.mha').bytes)).toBe(true);
    expect(isMetaImage(image({}).bytes)).toBe(true);
    expect(isMetaImage(image({ ObjectType: 'Mesh' }).bytes)).toBe(false);
    expect(isMetaImage(new TextEncoder().encode('Name = x\nSize = 3\n'))).toBe(false);
  });
});
