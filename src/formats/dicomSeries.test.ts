import { describe, expect, it } from 'vitest';
import { readDicomHeader } from './dicomHeader.ts';
import { listSeries, readDicomSeries } from './dicomSeries.ts';
import { load, loadFolder, patched } from './fixtures/load.ts';
import { readDicomFile } from './readDicom.ts';
import { readNifti } from './readNifti.ts';
import type { NamedBytes, Volume } from './volume.ts';

const HITACHI = 'dicom/dicom2nifti/hitachi/anatomical/001';
const ANISOTROPIC = 'dicom/dicom2nifti/generic/anatomical/002_non_isotropic';

/** Files in another order, under names that say nothing or the wrong thing about it. */
function shuffled(files: readonly NamedBytes[]): NamedBytes[] {
  const order = [2, 0, 3, 1];
  return order.flatMap((from, to) => files[from] ? [{ ...files[from], name: `IM${to}.dcm` }] : []);
}

/** The same image under another SOP Instance UID. */
function renamed(file: NamedBytes): NamedBytes {
  const uid = readDicomHeader(file).sopInstance;
  const text = new TextDecoder('latin1').decode(file.bytes);
  let copy = file;
  for (let at = text.indexOf(uid); at >= 0; at = text.indexOf(uid, at + 1)) {
    const last = at + uid.length - 1;
    copy = patched(copy, last, [text.charCodeAt(last) === 0x31 ? 0x32 : 0x31]);
  }
  return copy;
}

/** Solves affine · v = mm for the voxel v by Cramer's rule. */
function voxelAt(affine: readonly number[], mm: readonly number[]): number[] {
  const column = (axis: number): number[] => [affine[axis] ?? 0, affine[4 + axis] ?? 0, affine[8 + axis] ?? 0];
  const det = (a: number[], b: number[], c: number[]): number =>
    (a[0] ?? 0) * ((b[1] ?? 0) * (c[2] ?? 0) - (b[2] ?? 0) * (c[1] ?? 0))
    - (b[0] ?? 0) * ((a[1] ?? 0) * (c[2] ?? 0) - (a[2] ?? 0) * (c[1] ?? 0))
    + (c[0] ?? 0) * ((a[1] ?? 0) * (b[2] ?? 0) - (a[2] ?? 0) * (b[1] ?? 0));
  const [x, y, z] = [column(0), column(1), column(2)];
  const target = mm.map((value, axis) => value - (affine[4 * axis + 3] ?? 0));
  const whole = det(x, y, z);
  return [det(target, y, z) / whole, det(x, target, z) / whole, det(x, y, target) / whole];
}

/** Every voxel of the series must be found, with its value, where another program put it in the same patient space. */
function expectSamePlace(series: Volume, truth: Volume): void {
  const [a, b] = [series.affine ?? [], truth.affine ?? []];
  let misplaced = 0;
  let different = 0;
  for (let slice = 0; slice < series.slices; slice += 1) {
    for (let row = 0; row < series.rows; row += 1) {
      for (let column = 0; column < series.columns; column += 1) {
        const mm = [0, 4, 8].map((line) => (a[line] ?? 0) * column + (a[line + 1] ?? 0) * row
          + (a[line + 2] ?? 0) * slice + (a[line + 3] ?? 0));
        const found = voxelAt(b, mm);
        const [i = -1, j = -1, k = -1] = found.map(Math.round);
        // The other program wrote float32 millimetres; a thousandth of a voxel is far above that and far below half.
        if (found.some((value) => Math.abs(value - Math.round(value)) > 1e-3)) misplaced += 1;
        const there = truth.data[(k * truth.rows + j) * truth.columns + i];
        if (there !== series.data[(slice * series.rows + row) * series.columns + column]) different += 1;
      }
    }
  }
  expect({ misplaced, different }).toEqual({ misplaced: 0, different: 0 });
}

describe('a series', () => {
  for (const folder of [HITACHI, ANISOTROPIC]) {
    it(`${folder}: lies where dicom2nifti put it, whatever the files are called`, () => {
      expectSamePlace(readDicomSeries(shuffled(loadFolder(folder))), readNifti(load(`${folder}_ground_truth.nii.gz`)));
    });
  }

  it('is ordered by position, not by name', () => {
    const files = loadFolder(HITACHI);
    expect(readDicomSeries(shuffled(files)).data).toEqual(readDicomSeries(files).data);
  });

  it('takes Pixel Spacing as rows first, columns second', () => {
    // (0028,0030) of these files is 4\6.39995861053464: 4 mm between rows.
    expect(readDicomSeries(loadFolder(ANISOTROPIC)).spacing).toMatchObject({ x: 6.39995861053464, y: 4 });
  });

  it('tells of a missing slice and keeps the true distance', () => {
    const all = readDicomSeries(loadFolder(HITACHI));
    const gap = readDicomSeries(loadFolder(HITACHI).filter((_, index) => index !== 1));
    expect(gap.slices).toBe(3);
    expect(gap.notices.join(' ')).toMatch(/not evenly spaced \(4 mm to 8 mm\)/);
    expect(all.notices).toEqual([]);
  });

  it('counts a file that came twice once, and leaves out a second image of the same place', () => {
    const files = loadFolder(HITACHI);
    const twice = readDicomSeries([...files, ...files.slice(0, 1)]);
    expect(twice.slices).toBe(4);
    expect(twice.notices).toEqual(['1 file came twice and counted once.']);
    const doubled = readDicomSeries([...files, ...files.slice(0, 1).map(renamed)]);
    expect(doubled.slices).toBe(4);
    expect(doubled.notices).toEqual(['1 of 5 slices lie where another one does and were left out.']);
  });

  it('is the one with most slices of those dropped together; the rest is named', () => {
    const files = [...loadFolder(ANISOTROPIC).slice(0, 2), ...loadFolder(HITACHI)];
    const volume = readDicomSeries(files);
    expect([volume.columns, volume.rows, volume.slices]).toEqual([64, 64, 4]);
    expect(volume.notices.join(' ')).toMatch(/The largest of 2 series is shown; left out: "/);
    expect(listSeries(files).map(({ slices, columns, rows }) => [slices, columns, rows]))
      .toEqual([[4, 64, 64], [2, 64, 28]]);
  });

  it('keeps its files in slice order for whoever writes it back', () => {
    const { origin, slices } = readDicomSeries(shuffled(loadFolder(HITACHI)));
    const along = origin.format === 'dicom' ? (origin.files ?? []).map((file) => readDicomHeader(file).position) : [];
    expect(along).toHaveLength(slices);
    // Steps between neighbours are equal vectors: nothing is out of order.
    const steps = along.slice(1).map((position, index) => (position?.[0] ?? NaN) - (along[index]?.[0] ?? NaN));
    steps.forEach((step) => expect(step).toBeCloseTo(steps[0] ?? NaN, 3));
  });
});

describe('values', () => {
  const ct = readDicomFile(load('dicom/synthetic/explicit_le.dcm'))[0]?.data;

  it('are the same however they are encoded', () => {
    const names = [
      'implicit_le', 'deflated', 'bits12_highbit15', 'BAD_declared_implicit_is_explicit',
      'no_preamble_no_meta_implicit', 'POLYGLOT_html_preamble', 'ODD_nested_200',
    ];
    for (const name of names) expect(readDicomFile(load(`dicom/synthetic/${name}.dcm`))[0]?.data, name).toEqual(ct);
  });

  it('are not inverted for MONOCHROME1 and not changed by padding', () => {
    expect(readDicomFile(load('dicom/synthetic/monochrome1.dcm'))[0]?.data).toEqual(ct);
    expect(readDicomFile(load('dicom/synthetic/pixel_padding.dcm'))[0]?.data).toEqual(ct);
  });

  it('keep a fractional rescale slope', () => {
    const volume = readDicomSeries([load('dicom/synthetic/pt_fractional_slope.dcm')]);
    expect(volume.modality).toBe('pet');
    expect(Math.max(...volume.data)).toBeCloseTo(603.008, 3);
  });

  it('are Hounsfield units in CT', () => {
    expect(readDicomSeries([load('dicom/pydicom/CT_small.dcm')])).toMatchObject({ units: 'HU', modality: 'ct' });
    expect(readDicomSeries([load('dicom/pydicom/MR_small.dcm')])).toMatchObject({ units: 'raw', modality: 'mri' });
  });
});

describe('refusals', () => {
  it('say what the object is', () => {
    const refusal = (path: string) => () => readDicomFile(load(path));
    expect(refusal('dicom/pydicom/rtplan.dcm')).toThrow(/dicom: this RTPLAN object holds no pixel data/);
    expect(refusal('dicom/pydicom/reportsi.dcm')).toThrow(/this SR object holds no pixel data/);
    expect(refusal('dicom/pydicom/dicomdirtests/DICOMDIR')).toThrow(/DICOMDIR is only an index/);
    expect(refusal('dicom/synthetic/BAD_rows_65535.dcm')).toThrow(/24 × 65535 pixels need 3145680 bytes, found 960/);
  });

  it('do not show the patient', () => {
    const volume = readDicomSeries([load('dicom/synthetic/xss_patient_name.dcm')]);
    expect(`${volume.name} ${volume.notices.join(' ')}`).not.toMatch(/[<>]|script/i);
  });

  it('survive every cut of a file with one sentence', () => {
    const { name, bytes } = load('dicom/synthetic/explicit_le.dcm');
    for (let length = 0; length < bytes.length - 1; length += 7) {
      expect(() => readDicomFile({ name, bytes: bytes.subarray(0, length) })).toThrow(/^dicom: [^\n]{20,}$/);
    }
  });
});
