import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { inFolder, OBLIQUE, ramp, rampVolume } from './fixtures/ramp.ts';
import { readAnalyze } from './readAnalyze.ts';
import { readNifti } from './readNifti.ts';
import type { Volume } from './volume.ts';
import { writeNifti } from './writeNifti.ts';

const reread = (bytes: Uint8Array): Promise<Volume> => readNifti({ name: 'written.nii', bytes });
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

const SOURCES = [
  'dt_i1', 'dt_i2', 'dt_u4', 'dt_i4', 'dt_i8', 'dt_f4', 'big_endian_i2', 'slope2_inter-1024', 'slope_negative',
  'slope0_inter5_must_ignore', 'two_d', 'units_metres', 'pixdim_negative', 'qform0_sform0_no_orientation',
].map((name) => `nifti/synthetic/${name}.nii`);

describe('a volume from NIfTI', () => {
  for (const path of SOURCES) {
    it(`${path} comes back with the same voxels, place and header fields`, async () => {
      const file = load(path);
      const volume = await readNifti(file);
      const bytes = writeNifti(volume);
      const again = await reread(bytes);
      expect(again.data).toEqual(volume.data);
      expect(again.affine).toEqual(volume.affine);
      expect(again.spacing).toEqual(volume.spacing);
      // Every byte of the header but vox_offset's and the description's.
      const own = (from: Uint8Array): number[] =>
        [...from.subarray(0, 108), ...from.subarray(112, 148), ...from.subarray(228, 348)];
      expect(own(bytes)).toEqual(own(file.bytes));
      expect(bytes.subarray(352)).toEqual(file.bytes.subarray(352, 352 + bytes.length - 352));
    });
  }

  it('rounds and clamps to the type, scaling kept', async () => {
    // slope 2, intercept −1024, int16: stored = (value + 1024) / 2, from −32768 to 32767.
    const volume = await readNifti(load('nifti/synthetic/slope2_inter-1024.nii'));
    const data = volume.data.slice();
    data.set([-1024, -1021.2, 1e9, -1e9, NaN]);
    const bytes = view(writeNifti({ ...volume, data }));
    const stored = [0, 1, 2, 3, 4].map((index) => bytes.getInt16(352 + 2 * index, true));
    expect(stored).toEqual([0, 1, 32767, -32768, 512]);
  });

  it('is written as float32 with slope 1 on request, so that nothing is rounded', async () => {
    const volume = await readNifti(load('nifti/synthetic/slope2_inter-1024.nii'));
    const data = volume.data.map((value) => value + 0.375);
    const bytes = writeNifti({ ...volume, data }, { type: 'float32' });
    expect(view(bytes).getInt16(70, true)).toBe(16);
    expect([view(bytes).getFloat32(112, true), view(bytes).getFloat32(116, true)]).toEqual([1, 0]);
    expect((await reread(bytes)).data).toEqual(data);
  });

  it('keeps its fourth dimension, or drops it where slices were left out', async () => {
    const volume = await readNifti(load('nifti/nibabel/tests/data/functional.nii'));
    const dims = (bytes: Uint8Array): number[] =>
      [0, 1, 2, 3, 4].map((index) => view(bytes).getInt16(40 + 2 * index, true));
    expect(dims(writeNifti(volume))).toEqual([4, 17, 21, 3, 20]);
    const some = { ...volume, slices: 2, times: 1, data: volume.data.slice(0, 17 * 21 * 2) };
    expect(dims(writeNifti(some))).toEqual([3, 17, 21, 2, 1]);
  });

  it('moves its sform where the volume was moved', async () => {
    const volume = await readNifti(load('nifti/synthetic/dt_i2.nii'));
    const affine = (volume.affine ?? []).map((value, index) => (index === 11 ? value + 8 : value));
    expect((await reread(writeNifti({ ...volume, affine }))).affine).toEqual(affine);
  });

  it('becomes NIfTI-1 where it was NIfTI-2', async () => {
    const volume = await readNifti(load('nifti/nibabel/tests/data/example_nifti2.nii.gz'));
    const bytes = writeNifti(volume);
    expect(view(bytes).getInt32(0, true)).toBe(348);
    expect(String.fromCharCode(...bytes.subarray(344, 347))).toBe('n+1');
    const again = await reread(bytes);
    expect(again.data).toEqual(volume.data);
    // NIfTI-2 holds doubles, NIfTI-1 floats: 2^-24 of numbers up to 200.
    again.affine?.forEach((value, index) => expect(value).toBeCloseTo(volume.affine?.[index] ?? NaN, 4));
    expect(again.spacing?.z).toBeCloseTo(volume.spacing?.z ?? NaN, 5);
  });

  it('comes back from a pair as one file', async () => {
    const volume = await readNifti(load('nifti/synthetic/pair_i2.hdr'), inFolder('nifti/synthetic'));
    expect((await reread(writeNifti(volume))).data).toEqual(volume.data);
  });

  it('is gzipped on request', async () => {
    const volume = await readNifti(load('nifti/synthetic/dt_f4.nii'));
    const packed = writeNifti(volume, { gzip: true });
    expect([...packed.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect((await reread(packed)).data).toEqual(volume.data);
  });

  it('says what it is', async () => {
    const bytes = writeNifti(await readNifti(load('nifti/synthetic/dt_i2.nii')));
    expect(new TextDecoder().decode(bytes.subarray(148, 228))).toMatch(/^Restore-RWKV, not for diagnosis\0+$/);
  });
});

describe('a volume from another format', () => {
  it('gets a header that puts it in the same place', async () => {
    const volume = rampVolume();
    const bytes = writeNifti(volume);
    expect([view(bytes).getInt16(252, true), view(bytes).getInt16(254, true)]).toEqual([0, 1]); // qform, sform code
    const again = await reread(bytes);
    expect(again.data).toEqual(volume.data);
    expect([again.columns, again.rows, again.slices, again.times]).toEqual([5, 4, 3, 1]);
    expect(again.affine).toEqual(OBLIQUE.map(Math.fround));
  });

  it('remembers Hounsfield units', async () => {
    expect(await reread(writeNifti(rampVolume()))).toMatchObject({ units: 'HU', modality: 'ct' });
  });

  it('keeps its times as the fourth dimension', async () => {
    const bytes = writeNifti(rampVolume({ times: 2 }));
    expect([0, 1, 2, 3, 4].map((index) => view(bytes).getInt16(40 + 2 * index, true))).toEqual([4, 5, 4, 3, 2]);
    const again = await reread(bytes);
    expect([again.slices, again.times]).toEqual([6, 2]);
    expect([...again.data]).toEqual(ramp(2));
  });

  it('is int16 where DICOM gave whole numbers, float32 once a value is not', () => {
    const type = (volume: Volume): number => view(writeNifti(volume)).getInt16(70, true);
    expect(type(rampVolume())).toBe(4);
    expect(type(rampVolume({ data: Float32Array.from(ramp(), (value) => value + 0.5) }))).toBe(16);
    expect(type(rampVolume({ data: Float32Array.from(ramp(), (value) => value + 40_000) }))).toBe(16);
  });

  it('has the type of its own file, unless it is a picture in [0, 1]', () => {
    const type = (origin: Volume['origin']): number => view(writeNifti(rampVolume({ origin }))).getInt16(70, true);
    expect(type({ format: 'plain', type: 'uint16' })).toBe(512);
    expect(type({ format: 'plain', type: 'float64' })).toBe(64);
    expect(type({ format: 'picture', bitDepth: 8 })).toBe(16);
  });

  it('keeps the header of Analyze, without an orientation that was never there', async () => {
    const volume = await readAnalyze(load('analyze/int16.hdr'), inFolder('analyze'));
    const bytes = writeNifti(volume);
    expect([view(bytes).getInt16(252, true), view(bytes).getInt16(254, true)]).toEqual([0, 0]);
    expect(view(bytes).getInt16(70, true)).toBe(4);
    const again = await reread(bytes);
    expect([again.data, again.spacing, again.affine]).toEqual([volume.data, volume.spacing, volume.affine]);
  });

  it('is refused where a dimension does not fit', () => {
    const long = rampVolume({ columns: 1, rows: 1, slices: 40_000, data: new Float32Array(40_000) });
    expect(() => writeNifti(long)).toThrow(/1 × 1 × 40000 voxels do not fit NIfTI-1/);
  });
});
