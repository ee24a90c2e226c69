import { describe, expect, it } from 'vitest';
import { parseDicomDataSet, text } from './dicomDataSet.ts';
import { findDicomImages } from './dicomSeries.ts';
import { commonSpecs, inOrder, pixelSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load, loadFolder, patched } from './fixtures/load.ts';
import type { Findings, FoundImage } from './foundImage.ts';
import { readNifti } from './readNifti.ts';
import { FormatError, sourceOf } from './volume.ts';
import type { NamedBytes, SourceFile, Volume } from './volume.ts';

const HITACHI = 'dicom/dicom2nifti/hitachi/anatomical/001';
const ANISOTROPIC = 'dicom/dicom2nifti/generic/anatomical/002_non_isotropic';
const MR_CLASS = '1.2.840.10008.5.1.4.1.1.4';

const find = (files: readonly NamedBytes[]): Promise<Findings> => findDicomImages(files.map(sourceOf));
const only = ([image]: readonly FoundImage[]): FoundImage => image ?? expect.fail('no image was found');
const largest = async (files: readonly NamedBytes[]): Promise<Volume> => only((await find(files)).images).read();

/** Files in another order, under names that say nothing or the wrong thing about it. */
function shuffled(files: readonly NamedBytes[]): NamedBytes[] {
  const order = [2, 0, 3, 1];
  return order.flatMap((from, to) => files[from] ? [{ ...files[from], name: `IM${to}.dcm` }] : []);
}

/** The same image under another SOP Instance UID. */
function renamed(file: NamedBytes): NamedBytes {
  const uid = text(parseDicomDataSet(file.bytes).dataSet, 'x00080018');
  const characters = new TextDecoder('latin1').decode(file.bytes);
  let copy = file;
  for (let at = characters.indexOf(uid); at >= 0; at = characters.indexOf(uid, at + 1)) {
    const last = at + uid.length - 1;
    copy = patched(copy, last, [characters.charCodeAt(last) === 0x31 ? 0x32 : 0x31]);
  }
  return copy;
}

/** A slice of 3 × 2 pixels that all hold `value`; later elements replace earlier ones of the same tag. */
function slice(value: number, place: number, specs: readonly ElementSpec[] = []): NamedBytes {
  const pixels: ElementSpec[] = [['7FE00010', 'OW', Array<number>(6).fill(value)]];
  const own: ElementSpec[] = [
    ['00080018', 'UI', `1.2.3.4.${value}`],
    ['00200013', 'IS', String(value)],
    ['00200032', 'DS', `0\\0\\${place}`],
  ];
  return dicomFile(`s${value}`, inOrder(commonSpecs(MR_CLASS, 'MR'), pixelSpecs(16, 12, false), own, specs, pixels));
}

/** The value of each slice of a volume of `slice`s. */
const values = ({ data, rows, columns, slices }: Volume): (number | undefined)[] =>
  Array.from({ length: slices }, (_, index) => data[index * rows * columns]);

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
    it(`${folder}: lies where dicom2nifti put it, whatever the files are called`, async () => {
      const truth = await readNifti(load(`${folder}_ground_truth.nii.gz`));
      expectSamePlace(await largest(shuffled(loadFolder(folder))), truth);
    });
  }

  it('is ordered by position, not by name', async () => {
    const files = loadFolder(HITACHI);
    expect((await largest(shuffled(files))).data).toEqual((await largest(files)).data);
  });

  it('takes Pixel Spacing as rows first, columns second', async () => {
    // (0028,0030) of these files is 4\6.39995861053464: 4 mm between rows.
    expect((await largest(loadFolder(ANISOTROPIC))).spacing).toMatchObject({ x: 6.39995861053464, y: 4 });
  });

  it('tells of a missing slice and keeps the true distance', async () => {
    expect((await largest(loadFolder(HITACHI))).notices).toEqual([]);
    const gap = await largest(loadFolder(HITACHI).filter((_, index) => index !== 1));
    expect(gap.slices).toBe(3);
    expect(gap.notices.join(' ')).toMatch(/not evenly spaced \(4 mm to 8 mm\): 1 slice seems to be missing; 4 mm is/);
  });

  it('tells of a tilted gantry with its angle and keeps the shear', async () => {
    // Steps of (0, 2, 4) mm between axial slices: tan 26.565° = 2 / 4.
    const volume = await largest([0, 1, 2, 3].map((index) =>
      slice(index, 4 * index, [['00200032', 'DS', `0\\${2 * index}\\${4 * index}`]])));
    expect(volume.notices.join(' ')).toMatch(/gantry tilt of 26\.6°/);
    expect(volume.spacing?.z).toBe(4);
    expect([2, 6, 10].map((at) => volume.affine?.[at])).toEqual([0, -2, 4]);
  });

  it('counts a file that came twice once', async () => {
    const files = loadFolder(HITACHI);
    const volume = await largest([...files, ...files.slice(0, 1)]);
    expect(volume.slices).toBe(4);
    expect(volume.notices).toEqual(['1 file came twice and counted once.']);
  });

  it('shows a second image of one place by itself', async () => {
    const files = loadFolder(HITACHI);
    const { images } = await find([...files, ...files.slice(0, 1).map(renamed)]);
    expect(images.map(({ size }) => size?.slices)).toEqual([4, 1]);
    const volume = await only(images).read();
    expect(volume.notices.join(' ')).toMatch(/1 of 5 slices lie where another one does/);
  });

  it('lists other series and orientations by themselves, most slices first', async () => {
    const sagittal: ElementSpec = ['00200037', 'DS', '0\\1\\0\\0\\0\\-1'];
    const files = [
      ...loadFolder(ANISOTROPIC).slice(0, 2), ...loadFolder(HITACHI),
      slice(1, 0), slice(2, 2), slice(3, 4), slice(4, 0, [sagittal]),
    ];
    const { images } = await find(files);
    expect(images.map(({ size, files: count }) => [size?.slices, size?.columns, size?.rows, count]))
      .toEqual([[4, 64, 64, 4], [3, 3, 2, 3], [2, 64, 28, 2], [1, 3, 2, 1]]);
    expect((await (images[1] ?? only([])).read()).notices.join(' '))
      .toMatch(/holds 2 images that differ in orientation; each is listed by itself/);
  });

  it('keeps the header of each slice without its pixels, as a stream that can be read again', async () => {
    const files = shuffled(loadFolder(HITACHI));
    const { origin, slices } = await largest(files);
    const sources = origin.format === 'dicom' ? origin.slices : [];
    expect(sources).toHaveLength(slices);
    const along = sources.map(({ header }) => {
      const { dataSet, complete } = parseDicomDataSet(header);
      expect(complete).toBe(true);
      expect(dataSet.elements['x7fe00010']).toBeUndefined();
      return Number(dataSet.string('x00200032')?.split('\\')[0]);
    });
    // Steps between neighbours are equal vectors: nothing is out of order.
    const steps = along.slice(1).map((position, index) => position - (along[index] ?? NaN));
    steps.forEach((step) => expect(step).toBeCloseTo(steps[0] ?? NaN, 3));
  });

  for (const name of ['deflated', 'BAD_declared_implicit_is_explicit', 'no_preamble_no_meta_implicit', 'implicit_le']) {
    it(`${name}: the header kept declares the encoding that it is in`, async () => {
      const { origin } = await largest([load(`dicom/synthetic/${name}.dcm`)]);
      const header = origin.format === 'dicom' ? origin.slices[0]?.header ?? new Uint8Array() : new Uint8Array();
      const again = parseDicomDataSet(header);
      const uid = text(again.meta?.dataSet ?? expect.fail('no meta information'), 'x00020010');
      expect(uid).toBe(/implicit_le|no_meta/.test(name) ? '1.2.840.10008.1.2' : '1.2.840.10008.1.2.1');
      expect(text(again.dataSet, 'x00080060')).toBe('CT');
      expect(new TextDecoder('latin1').decode(header.subarray(128, 132))).toBe('DICM');
    });
  }
});

describe('several images of each place', () => {
  const echo = (value: number, place: number, number: number): NamedBytes =>
    slice(value, place, [['00180086', 'IS', String(number)]]);

  it('become time points, in order of what tells them apart', async () => {
    // Instance numbers run the other way round than echoes.
    const volume = await largest([
      echo(6, 0, 1), echo(5, 2, 1), echo(4, 4, 1), echo(3, 0, 2), echo(2, 2, 2), echo(1, 4, 2),
    ]);
    expect([volume.slices, volume.times]).toEqual([6, 2]);
    expect(values(volume)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(volume.notices.join(' ')).toMatch(/Each of the 3 places was imaged 2 times; shown as time points, by echo/);
    expect(volume.spacing?.z).toBe(2);
  });

  it('leave out a time point that is incomplete, whichever it is', async () => {
    const { images } = await find([
      echo(1, 0, 1), echo(2, 2, 1), echo(3, 0, 2), echo(4, 0, 3), echo(5, 2, 3),
    ]);
    expect(images.map(({ size }) => [size?.slices, size?.times])).toEqual([[4, 2], [1, 1]]);
    const [whole, rest] = await Promise.all(images.map((image) => image.read()));
    expect(whole && values(whole)).toEqual([1, 2, 4, 5]);
    expect(rest && values(rest)).toEqual([3]);
  });

  it('of different kinds are images of their own', async () => {
    const kind = (value: number, place: number, name: string): NamedBytes =>
      slice(value, place, [['00080008', 'CS', `ORIGINAL\\PRIMARY\\${name}`]]);
    const { images } = await find([kind(1, 0, 'M'), kind(2, 0, 'P'), kind(3, 2, 'M'), kind(4, 2, 'P')]);
    const volumes = await Promise.all(images.map((image) => image.read()));
    expect(volumes.map(values)).toEqual([[1, 3], [2, 4]]);
  });

  it('beside each other in one plane are listed in the end, however many', async () => {
    const tile = (index: number): ElementSpec[] =>
      [['00209113', 'SQ', [[['00200032', 'DS', `${9 * index}\\0\\0`]]]]];
    const file = dicomFile('tiles', inOrder(commonSpecs(MR_CLASS, 'MR'), pixelSpecs(8, 8, false), [
      ['00280008', 'IS', '3000'],
      ['52009230', 'SQ', Array.from({ length: 3000 }, (_, index) => tile(index))],
      ['7FE00010', 'OB', new Uint8Array(6 * 3000)],
    ]));
    const { images } = await find([file]);
    expect(images.reduce((sum, { size }) => sum + (size?.slices ?? 0), 0)).toBe(3000);
    expect(images.length).toBeLessThan(70);
  });

  it('at a single place are said to be no volume', async () => {
    const volume = await largest([1, 2, 3].map((value) => slice(value, 7, [['00200012', 'IS', String(9 - value)]])));
    expect(volume.times).toBe(3);
    expect(values(volume)).toEqual([3, 2, 1]);
    expect(volume.notices.join(' '))
      .toMatch(/All images lie at one place: 3 time points, by acquisition, not a volume/);
  });
});

describe('reading', () => {
  /** Notes what is asked of a file. */
  function watched(file: NamedBytes, log: number[]): SourceFile {
    const source = sourceOf(file);
    return { ...source, bytes: (end, start) => (log.push(end ?? source.size), source.bytes(end, start)) };
  }

  it('finds by heads alone, and reads whole files once an image is opened', async () => {
    // A header of 200 bytes and 600 KB of pixels.
    const large = dicomFile('large', inOrder(commonSpecs(MR_CLASS, 'MR'), pixelSpecs(16, 16, false), [
      ['00280010', 'US', [600]], ['00280011', 'US', [500]], ['7FE00010', 'OW', Array<number>(300000).fill(9)],
    ]));
    const log: number[] = [];
    const { images } = await findDicomImages([watched(large, log)]);
    expect(log).toEqual([65536]);
    expect((await only(images).preview()).data).toHaveLength(300000);
    expect(log).toEqual([65536, large.bytes.length]);
  });

  it('reads on where a header is longer than the head', async () => {
    const long = slice(5, 0, [['00291010', 'OB', new Uint8Array(300000).fill(7)]]);
    const log: number[] = [];
    const { images } = await findDicomImages([watched(long, log)]);
    expect(images).toHaveLength(1);
    expect(log.length).toBeGreaterThan(1);
    const { origin } = await only(images).read();
    // Large private elements are not kept beside the pixels.
    expect(origin.format === 'dicom' && origin.slices[0]?.header.length).toBeLessThan(4096);
  });

  it('previews the middle slice of the first time point', async () => {
    const { images } = await find([1, 2, 3, 4, 5].map((value) => slice(value, value)));
    const preview = await only(images).preview();
    expect([preview.slices, preview.times, ...values(preview)]).toEqual([1, 1, 3]);
    // Where that slice lies: 3 mm along z.
    expect(preview.affine?.[11]).toBe(3);
  });

  it('tells how far it is, and lets other work run in between', async () => {
    const files = Array.from({ length: 40 }, (_, index) => slice(index + 1, index));
    const seen: number[] = [];
    const { images } = await find(files);
    await only(images).read((done) => seen.push(done));
    expect(seen).toEqual(files.map((_, index) => index + 1));
  });

  it('leaves out what cannot be decoded and stacks the rest anew', async () => {
    const good = [1, 2, 3, 4].map((value) => slice(value, 2 * value));
    const found = await findDicomImages(good.map((file, index) => ({
      ...sourceOf(file),
      bytes: async (end?: number) => {
        if (end === undefined && index === 3) throw new Error('disk error');
        return file.bytes.subarray(0, end);
      },
    })));
    const volume = await only(found.images).read();
    expect(values(volume)).toEqual([1, 2, 3]);
    expect(volume.notices[0]).toMatch(/1 file could not be read and was left out; s4: dicom: .*disk error/);
    const sources = volume.origin.format === 'dicom' ? volume.origin.slices : [];
    expect(sources.map(({ name }) => name)).toEqual(['s1', 's2', 's3']);
  });

  it('names files beside readable ones that are no images', async () => {
    const { images, notices } = await find([...loadFolder(HITACHI), load('dicom/pydicom/rtplan.dcm')]);
    expect(images).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/^1 file could not be read .*rtplan: dicom: this RTPLAN object/)]);
  });
});

describe('refusals', () => {
  const refusal = (file: NamedBytes): Promise<Volume> => largest([file]);

  it('say what the object is', async () => {
    await expect(refusal(load('dicom/pydicom/rtplan.dcm'))).rejects
      .toThrow(/dicom: this RTPLAN object holds no pixel data/);
    await expect(refusal(load('dicom/pydicom/reportsi.dcm'))).rejects.toThrow(/this SR object holds no pixel data/);
    await expect(refusal(load('dicom/synthetic/BAD_rows_65535.dcm'))).rejects
      .toThrow(/24 × 65535 pixels need 3145680 bytes, found 960/);
  });

  it('do not show the patient', async () => {
    const volume = await refusal(load('dicom/synthetic/xss_patient_name.dcm'));
    expect(`${volume.name} ${volume.notices.join(' ')}`).not.toMatch(/[<>]|script/i);
  });

  for (const encoding of ['explicit_le', 'rle_u16', 'deflated']) {
    it(`${encoding}: survive every cut of a file with one sentence`, async () => {
      const { name, bytes } = load(`dicom/synthetic/${encoding}.dcm`);
      for (let length = 0; length < bytes.length - 1; length += 7) {
        const outcome = await refusal({ name, bytes: bytes.subarray(0, length) }).catch((error: unknown) => error);
        expect(outcome, `${length} bytes`).toBeInstanceOf(FormatError);
        expect((outcome as FormatError).message).toMatch(/^[a-z]+: [^\n]{20,}$/);
      }
    });
  }
});
