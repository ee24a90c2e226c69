import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { load, patched } from './fixtures/load.ts';
import { inFolder, ramp, RAMP } from './fixtures/ramp.ts';
import { niftiDataFiles, readNifti } from './readNifti.ts';
import type { NamedBytes } from './volume.ts';

const int16 = load('nifti/synthetic/dt_i2.nii');

/** Little-endian bytes of header fields. */
const short = (value: number): number[] => [...new Uint8Array(Int16Array.of(value).buffer)];
const float = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

async function headerOnly(file: NamedBytes): Promise<NamedBytes> {
  const header = (await readNifti(file)).origin;
  if (header.format !== 'nifti') throw new Error('fixture is not NIfTI');
  // The voxels do not matter for these tests: a one-voxel image under the fixture's own orientation.
  const bytes = new Uint8Array(352 + 8);
  bytes.set(header.header);
  bytes.set([...short(3), ...short(1), ...short(1), ...short(1)], 40);
  bytes.set(float(352), 108);
  return { name: file.name, bytes };
}

function expectAffine(found: readonly number[] | null, stated: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(16);
  stated.forEach((value, index) => expect(Math.abs((found?.[index] ?? NaN) - value)).toBeLessThanOrEqual(tolerance));
  expect(found?.slice(12)).toEqual([0, 0, 0, 1]);
}

describe('orientation', () => {
  // srow_x, y, z as Python's struct reads them from the same files.
  const OBLIQUE = [
    -1.4269453287124634, 0.33459845185279846, -3.1214001178741455, 145.6324005126953,
    -1.8532898426055908, -0.4411570429801941, 2.3299965858459473, 43.132728576660156,
    0.14935313165187836, -2.2774078845977783, -0.9099400043487549, 39.37342071533203,
  ];
  const oblique = headerOnly(load('dicom/dicom2nifti/hitachi/anatomical/001_ground_truth.nii.gz'));

  it('takes the sform where its code is set', async () => {
    expectAffine((await readNifti(await oblique)).affine, OBLIQUE, 0);
    // Also where qform_code is the larger: the library would take the qform then.
    const turned = patched(patched(await oblique, 252, short(4)), 256, float(0.5));
    expectAffine((await readNifti(turned)).affine, OBLIQUE, 0);
  });

  it('takes the qform where sform_code is 0, with qfac −1', async () => {
    // This file's quaternion says the same as its sform; both are float32 of numbers up to 150.
    const qform = patched(patched(await oblique, 254, short(0)), 252, short(1));
    expectAffine((await readNifti(qform)).affine, OBLIQUE, 5e-5);
  });

  it('takes voxel sizes alone where neither is set, and says that orientation is unknown', async () => {
    const volume = await readNifti(load('nifti/synthetic/qform0_sform0_no_orientation.nii'));
    expectAffine(volume.affine, [2, 0, 0, 0, 0, 2.5, 0, 0, 0, 0, 4, 0], 0);
    expect(volume.notices.join(' ')).toMatch(/does not say how the image lies/);
  });

  it('passes over an sform of NaN or without volume', async () => {
    for (const name of ['BAD_sform_nan', 'BAD_sform_singular']) {
      const volume = await readNifti(load(`nifti/synthetic/${name}.nii`));
      expectAffine(volume.affine, [2, 0, 0, 0, 0, 2.5, 0, 0, 0, 0, 4, 0], 0);
      expect(volume.notices.join(' ')).toMatch(/sform matrix .* ignored/);
    }
  });

  it('converts metres and micrometres to millimetres', async () => {
    expect((await readNifti(load('nifti/synthetic/units_metres.nii'))).spacing).toEqual({ x: 2000, y: 2500, z: 4000 });
    const microns = await readNifti(load('nifti/synthetic/units_microns.nii'));
    expect(microns.spacing).toEqual({ x: 0.002, y: 0.0025, z: 0.004 });
    expectAffine(microns.affine, [-0.002, 0, 0, 0.02, 0, 0.0025, 0, -0.025, 0, 0, 0.004, -0.01], 1e-12);
  });

  it('falls back on the affine for voxel sizes of 0 and takes negative ones as positive', async () => {
    expect((await readNifti(load('nifti/synthetic/pixdim_zero.nii'))).spacing).toEqual({ x: 2, y: 2.5, z: 4 });
    expect((await readNifti(load('nifti/synthetic/pixdim_negative.nii'))).spacing).toEqual({ x: 2, y: 2, z: 2 });
  });
});

describe('values', () => {
  it('gives the same voxels from both byte orders, gzipped or not', async () => {
    const little = (await readNifti(int16)).data;
    expect((await readNifti(load('nifti/synthetic/big_endian_i2.nii'))).data).toEqual(little);
    expect((await readNifti({ name: 'x', bytes: new Uint8Array(gzipSync(int16.bytes)) })).data).toEqual(little);
  });

  it('decodes voxels that straddle the pieces of an inflated stream', async () => {
    // 20 000 float64 in random order do not compress, so pieces end anywhere; a ramp shows any slip.
    const count = 20_000;
    const bytes = new Uint8Array(352 + 8 * count);
    bytes.set(int16.bytes.subarray(0, 348));
    bytes.set([...short(1), ...short(count)], 40);
    bytes.set([...short(64), ...short(64)], 70);
    bytes.set(float(0), 112);
    const ramp = Float64Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898) * 43758.5453);
    bytes.set(new Uint8Array(ramp.buffer), 352);
    const { data } = await readNifti({ name: 'x', bytes: new Uint8Array(gzipSync(bytes)) });
    expect(data).toEqual(Float32Array.from(ramp));
  });

  it('keeps NaN and infinities', async () => {
    const { data } = await readNifti(load('nifti/synthetic/nan_inf.nii.gz'));
    expect(data.some(Number.isNaN)).toBe(true);
    expect(data.some((value) => value === Infinity)).toBe(true);
  });

  it('turns colour into luma and says so', async () => {
    const file = load('nifti/synthetic/dt_rgb24.nii');
    const [red = 0, green = 0, blue = 0] = file.bytes.subarray(352 + 3 * 777, 352 + 3 * 778);
    const volume = await readNifti(file);
    expect(volume.data[777]).toBeCloseTo(0.299 * red + 0.587 * green + 0.114 * blue, 3);
    expect(volume.notices.join(' ')).toMatch(/colour/);
  });

  it('names units only where the description does', async () => {
    expect(await readNifti(int16)).toMatchObject({ units: 'raw', modality: null });
    const described = patched(int16, 148, [...new TextEncoder().encode('chest, HU')]);
    expect(await readNifti(described)).toMatchObject({ units: 'HU', modality: 'ct' });
  });
});

describe('more than three dimensions', () => {
  it('become times, with slices of one time together', async () => {
    const volume = await readNifti(load('nifti/nibabel_made/four_d.nii.gz'));
    expect(volume).toMatchObject({ ...RAMP, slices: 6, times: 2, suv: null });
    expect([...volume.data]).toEqual(ramp(2));
    // The matrix given to nibabel, as float32.
    expectAffine(volume.affine, [-1.9, 0.2, 0.1, 30, 0.3, 2.4, -0.5, -20, 0.05, 0.6, 3.9, -10], 1e-6);
  });

  it('become times whatever their intent: a vector of uint64 in the fifth', async () => {
    const volume = await readNifti(load('nifti/nibabel_made/vector_u8_5d.nii.gz'));
    expect(volume).toMatchObject({ ...RAMP, slices: 6, times: 2 });
    expect([...volume.data]).toEqual(ramp(2).map((value) => value + 50));
  });

  it('count one time where there are three or fewer', async () => {
    expect((await readNifti(int16)).times).toBe(1);
    expect((await readNifti(load('nifti/synthetic/two_d.nii'))).times).toBe(1);
  });
});

describe('hostile headers', () => {
  it('refuses sizes that the bytes cannot hold before allocating for them', async () => {
    const huge = [...short(7), ...Array.from({ length: 7 }, () => short(32767)).flat()];
    await expect(readNifti(patched(int16, 40, huge))).rejects.toThrow(/nifti: .* the file can hold only 6112/);
    // Three dimensions of 30000: 2.7e13 voxels claimed by a gzip of a few hundred bytes.
    const cube = patched(int16, 40, [...short(3), ...short(30000), ...short(30000), ...short(30000)]);
    await expect(readNifti({ name: 'x', bytes: new Uint8Array(gzipSync(cube.bytes)) })).rejects.toThrow(/cut short/);
  });

  it('is not led round in circles by forged extension sizes', async () => {
    // An extension of −16 bytes sends the library's own walk backwards for ever.
    const file = patched(patched(int16, 348, [1, 0, 0, 0]), 352, [0xf0, 0xff, 0xff, 0xff]);
    expect((await readNifti(file)).slices).toBe(6);
  });

  it('asks for the second file of a pair', async () => {
    await expect(readNifti(load('nifti/synthetic/pair_i2.hdr'))).rejects.toThrow(/open both files together/);
    expect(niftiDataFiles(load('nifti/synthetic/pair_i2.hdr'))).toEqual(['pair_i2.img', 'pair_i2.img.gz']);
    expect(niftiDataFiles(int16)).toEqual([]);
    const volume = await readNifti(load('nifti/synthetic/pair_i2.hdr'), inFolder('nifti/synthetic'));
    expect(volume.data).toEqual((await readNifti(int16)).data);
  });

  it('refuses complex numbers by name', async () => {
    await expect(readNifti(load('nifti/synthetic/dt_c8_complex64.nii')))
      .rejects.toThrow('nifti: datatype 32 (complex64) is not supported; convert the image to float32');
  });
});
