import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { OBLIQUE, ramp, rampVolume } from './fixtures/ramp.ts';
import { readNifti } from './readNifti.ts';
import { readNrrd } from './readNrrd.ts';
import type { NumberType, Volume } from './volume.ts';
import { writeNrrd } from './writeNrrd.ts';

const reread = (bytes: Uint8Array): Promise<Volume> => readNrrd({ name: 'written.nrrd', bytes }, async () => null);

/** Header fields, and the bytes after the empty line. */
function parts(bytes: Uint8Array): { fields: Record<string, string>; body: Uint8Array } {
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, end).split('\n').filter((line) => line.includes(': '));
  return { fields: Object.fromEntries(lines.map((line) => line.split(/: (.*)/s))), body: bytes.subarray(end + 2) };
}

describe('a written NRRD', () => {
  it('says field by field what it holds', () => {
    const { fields, body } = parts(writeNrrd(rampVolume()));
    expect(fields).toMatchObject({
      type: 'int16', dimension: '3', space: 'right-anterior-superior', sizes: '5 4 3',
      'space directions': '(-1.9,0.3,0.05) (0.2,2.4,0.6) (0.1,-0.5,3.9)', 'space origin': '(30,-20,-10)',
      'space units': '"mm" "mm" "mm"', kinds: 'space space space', endian: 'little', encoding: 'raw',
      'sample units': '"HU"',
    });
    expect([...new Int16Array(body.slice().buffer)]).toEqual(ramp());
  });

  it('re-reads with the same values, place, times and units', async () => {
    for (const gzip of [false, true]) {
      const volume = rampVolume({ times: 2 });
      const bytes = writeNrrd(volume, { gzip });
      expect(parts(bytes).fields).toMatchObject({
        sizes: '5 4 3 2', kinds: 'space space space list', dimension: '4',
        'space directions': '(-1.9,0.3,0.05) (0.2,2.4,0.6) (0.1,-0.5,3.9) none', encoding: gzip ? 'gzip' : 'raw',
      });
      if (gzip) expect(gunzipSync(parts(bytes).body)).toHaveLength(2 * 5 * 4 * 3 * 2);
      const again = await reread(bytes);
      expect(again).toMatchObject({ slices: 6, times: 2, units: 'HU', affine: OBLIQUE, spacing: volume.spacing });
      expect(again.data).toEqual(volume.data);
    }
  });

  it('holds every number type bit for bit, and rounds and clamps into it', async () => {
    const types: NumberType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64'];
    for (const type of types) {
      const data = Float32Array.from(ramp(), (value) => (type.startsWith('u') ? value + 50 : value));
      const volume = rampVolume({ data, origin: { format: 'plain', type } });
      const again = await reread(writeNrrd(volume));
      expect(again.data).toEqual(data);
      expect(again.origin).toEqual({ format: 'plain', type });
    }
    const data = Float32Array.from(ramp());
    data.set([1e9, -1e9, NaN, 1.6]);
    const rounded = await reread(writeNrrd(rampVolume({ data }), { type: 'uint8' }));
    expect([...rounded.data.slice(0, 4)]).toEqual([255, 0, 0, 2]);
  });

  it('without an affine has its voxel sizes, without these neither', async () => {
    const sized = rampVolume({ affine: null, spacing: { x: 1, y: 2, z: 3 }, units: 'raw' });
    expect(parts(writeNrrd(sized)).fields).toMatchObject({ spacings: '1 2 3' });
    expect(parts(writeNrrd(sized)).fields).not.toHaveProperty('space');
    expect(await reread(writeNrrd(sized))).toMatchObject({ affine: null, spacing: { x: 1, y: 2, z: 3 }, units: 'raw' });
    const bare = rampVolume({ affine: null, spacing: null, times: 2 });
    expect(await reread(writeNrrd(bare))).toMatchObject({ affine: null, spacing: null, times: 2 });
  });

  it('of a NIfTI has its type where its numbers are the values, else float32', async () => {
    const type = async (path: string): Promise<string | undefined> =>
      parts(writeNrrd(await readNifti(load(path)))).fields['type'];
    expect(await type('nifti/synthetic/big_endian_i2.nii')).toBe('int16');
    expect(await type('nifti/synthetic/slope2_inter-1024.nii')).toBe('float');
    expect(await type('nifti/synthetic/dt_rgb24.nii')).toBe('float');
    expect(await type('nifti/nibabel_made/vector_u8_5d.nii.gz')).toBe('uint64');
  });
});
