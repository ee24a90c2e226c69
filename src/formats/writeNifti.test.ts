import { describe, expect, it } from 'vitest';
import { load, loadFolder } from './fixtures/load.ts';
import { readDicomSeries } from './dicomSeries.ts';
import { readNifti } from './readNifti.ts';
import type { Volume } from './volume.ts';
import { writeNifti } from './writeNifti.ts';

const reread = (bytes: Uint8Array): Volume => readNifti({ name: 'written.nii', bytes });
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

const SOURCES = [
  'dt_i1', 'dt_i2', 'dt_u4', 'dt_i4', 'dt_i8', 'dt_f4', 'big_endian_i2', 'slope2_inter-1024', 'slope_negative',
  'slope0_inter5_must_ignore', 'two_d', 'units_metres', 'pixdim_negative', 'qform0_sform0_no_orientation',
].map((name) => `nifti/synthetic/${name}.nii`);

describe('a volume from NIfTI', () => {
  for (const path of SOURCES) {
    it(`${path} comes back with the same voxels, place and header fields`, () => {
      const file = load(path);
      const volume = readNifti(file);
      const bytes = writeNifti(volume);
      const again = reread(bytes);
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

  it('rounds and clamps to the type, scaling kept', () => {
    // slope 2, intercept −1024, int16: stored = (value + 1024) / 2, from −32768 to 32767.
    const volume = readNifti(load('nifti/synthetic/slope2_inter-1024.nii'));
    const data = volume.data.slice();
    data.set([-1024, -1021.2, 1e9, -1e9, NaN]);
    const bytes = view(writeNifti({ ...volume, data }));
    const stored = [0, 1, 2, 3, 4].map((index) => bytes.getInt16(352 + 2 * index, true));
    expect(stored).toEqual([0, 1, 32767, -32768, 512]);
  });

  it('is written as float32 with slope 1 on request, so that nothing is rounded', () => {
    const volume = readNifti(load('nifti/synthetic/slope2_inter-1024.nii'));
    const data = volume.data.map((value) => value + 0.375);
    const bytes = writeNifti({ ...volume, data }, { type: 'float32' });
    expect(view(bytes).getInt16(70, true)).toBe(16);
    expect([view(bytes).getFloat32(112, true), view(bytes).getFloat32(116, true)]).toEqual([1, 0]);
    expect(reread(bytes).data).toEqual(data);
  });

  it('keeps its fourth dimension, or drops it where slices were left out', () => {
    const volume = readNifti(load('nifti/nibabel/tests/data/functional.nii'));
    const dims = (bytes: Uint8Array): number[] =>
      [0, 1, 2, 3, 4].map((index) => view(bytes).getInt16(40 + 2 * index, true));
    expect(dims(writeNifti(volume))).toEqual([4, 17, 21, 3, 20]);
    const some = { ...volume, slices: 2, data: volume.data.slice(0, 17 * 21 * 2) };
    expect(dims(writeNifti(some))).toEqual([3, 17, 21, 2, 1]);
  });

  it('moves its sform where the volume was moved', () => {
    const volume = readNifti(load('nifti/synthetic/dt_i2.nii'));
    const affine = (volume.affine ?? []).map((value, index) => (index === 11 ? value + 8 : value));
    expect(reread(writeNifti({ ...volume, affine })).affine).toEqual(affine);
  });

  it('becomes NIfTI-1 where it was NIfTI-2', () => {
    const volume = readNifti(load('nifti/nibabel/tests/data/example_nifti2.nii.gz'));
    const bytes = writeNifti(volume);
    expect(view(bytes).getInt32(0, true)).toBe(348);
    expect(String.fromCharCode(...bytes.subarray(344, 347))).toBe('n+1');
    const again = reread(bytes);
    expect(again.data).toEqual(volume.data);
    // NIfTI-2 holds doubles, NIfTI-1 floats: 2^-24 of numbers up to 200.
    again.affine?.forEach((value, index) => expect(value).toBeCloseTo(volume.affine?.[index] ?? NaN, 4));
    expect(again.spacing?.z).toBeCloseTo(volume.spacing?.z ?? NaN, 5);
  });

  it('comes back from a pair as one file', () => {
    const volume = readNifti(load('nifti/synthetic/pair_i2.hdr'), load('nifti/synthetic/pair_i2.img'));
    expect(reread(writeNifti(volume)).data).toEqual(volume.data);
  });

  it('is gzipped on request', () => {
    const volume = readNifti(load('nifti/synthetic/dt_f4.nii'));
    const packed = writeNifti(volume, { gzip: true });
    expect([...packed.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(reread(packed).data).toEqual(volume.data);
  });

  it('says what it is', () => {
    const bytes = writeNifti(readNifti(load('nifti/synthetic/dt_i2.nii')));
    expect(new TextDecoder().decode(bytes.subarray(148, 228))).toMatch(/^Restore-RWKV, not for diagnosis\0+$/);
  });
});

describe('a volume from DICOM', () => {
  const volume = readDicomSeries(loadFolder('dicom/dicom2nifti/hitachi/anatomical/001'));

  it('gets a header that puts it in the same place', () => {
    const again = reread(writeNifti(volume));
    expect(again.data).toEqual(volume.data);
    expect([again.columns, again.rows, again.slices]).toEqual([64, 64, 4]);
    // float32 of millimetres up to 150.
    again.affine?.forEach((value, index) => expect(value).toBeCloseTo(volume.affine?.[index] ?? NaN, 4));
  });

  it('remembers Hounsfield units', () => {
    const again = reread(writeNifti(readDicomSeries([load('dicom/synthetic/explicit_le.dcm')])));
    expect(again).toMatchObject({ units: 'HU', modality: 'ct', spacing: { x: 2, y: 2.5 } });
  });

  it('is refused where a dimension does not fit', () => {
    const long = { ...volume, columns: 1, rows: 1, slices: 40_000, data: new Float32Array(40_000) };
    expect(() => writeNifti(long)).toThrow(/1 × 1 × 40000 voxels do not fit NIfTI-1/);
  });
});
