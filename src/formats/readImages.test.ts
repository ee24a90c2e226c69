import { describe, expect, it } from 'vitest';
import { expectedRows, load, loadFolder } from './fixtures/load.ts';
import { findImages, readImages } from './readImages.ts';
import { FormatError, sourceOf } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

async function outcome(files: readonly NamedBytes[]): Promise<Volume | FormatError> {
  try {
    return await readImages(files.map(sourceOf));
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
}

/** slices, rows, columns, row spacing, column spacing, min, max, mean over finite values. */
function measured(volume: Volume): number[] {
  const finite = volume.data.filter(Number.isFinite);
  const sum = finite.reduce((total, value) => total + value, 0);
  const least = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const most = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const { x, y } = volume.spacing ?? { x: NaN, y: NaN };
  return [volume.slices, volume.rows, volume.columns, y, x, least, most, sum / finite.length];
}

/** expected.tsv has seven significant digits and so has float32; 1e-6 of the value's size, or of 1 for small ones. */
function expectAsStated(volume: Volume, values: readonly (number | null)[]): void {
  measured(volume).forEach((found, index) => {
    const stated = values[index] ?? null;
    if (stated !== null) expect(Math.abs(found - stated)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(stated)));
  });
}

function expectOneSentence(error: FormatError): void {
  expect(error.message).toMatch(/^(dicom|nifti|analyze|png|open): .{20,}/);
  expect(error.message).not.toMatch(/\n|undefined|Error|\bat .*:\d+/);
}

function filesOf(path: string): NamedBytes[] {
  const paired = path.endsWith('pair_i2.hdr') ? [load(path.replace('.hdr', '.img'))] : [];
  return [load(path), ...paired];
}

describe('every fixture reads as independent readers say', () => {
  for (const { path, verdict, values } of expectedRows()) {
    it(`${path}: ${verdict}`, async () => {
      const result = await outcome(filesOf(path));
      if (result instanceof FormatError) {
        expectOneSentence(result);
        expect(verdict, result.message).not.toBe('open');
        return;
      }
      expect(verdict).not.toBe('refuse');
      expectAsStated(result, values);
    });
  }
});

describe('a drop of several files', () => {
  const series = loadFolder('dicom/dicom2nifti/hitachi/anatomical/001');
  const junk = (name: string): NamedBytes => ({ name, bytes: new TextEncoder().encode('not a picture') });
  const open = (...files: readonly NamedBytes[]): Promise<Volume> => readImages(files.map(sourceOf));

  it('keeps a folder readable when one of its files is damaged, and says so', async () => {
    const volume = await open(...series, { ...load('dicom/synthetic/BAD_rows_zero.dcm'), name: 'folder/broken.dcm' });
    expect(volume.slices).toBe(4);
    expect(volume.notices.join(' '))
      .toMatch(/1 file could not be read and was left out; broken: dicom: the image is 24 × 0/);
  });

  it('passes over system files in silence, and names files that are no images', async () => {
    const clutter = [junk('folder/.DS_Store'), junk('folder/Thumbs.db'), junk('folder/._IM1')];
    expect((await open(...clutter, ...series)).notices).toEqual([]);
    expect((await open(junk('folder/notes.txt'), ...series)).notices).toEqual(['Not an image and left out: notes.txt.']);
  });

  it('finds every image, the format with most files first, and opens that', async () => {
    const files = [load('nifti/synthetic/dt_i2.nii'), ...series];
    const { images } = await findImages(files.map(sourceOf));
    expect(images.map(({ format, files: count }) => [format, count])).toEqual([['dicom', 4], ['nifti', 1]]);
    const volume = await open(...files);
    expect(volume.format).toBe('dicom');
    expect(volume.notices.join(' ')).toContain('left out: dt_i2');
  });

  it('previews the middle slice alone', async () => {
    const { images: [image] } = await findImages(series.map(sourceOf));
    const [whole, preview] = await Promise.all([image!.read(), image!.preview()]);
    const size = whole.rows * whole.columns;
    expect([preview.slices, preview.rows, preview.columns]).toEqual([1, whole.rows, whole.columns]);
    expect(preview.data).toEqual(whole.data.subarray(2 * size, 3 * size));
  });

  it('opens the first readable of several NIfTI files', async () => {
    const volume = await open(
      load('nifti/synthetic/BAD_dims_zero.nii'), load('nifti/synthetic/dt_f4.nii'), load('nifti/synthetic/two_d.nii'),
    );
    expect(volume.name).toBe('dt_f4');
    expect(volume.notices.join(' ')).toMatch(/BAD_dims_zero was left out: nifti: the dimensions are 0 × 20 × 6/);
    expect(volume.notices.join(' ')).toContain('left out: two_d');
  });

  it('takes the voxels of a detached header from its own folder', async () => {
    const header = load('nifti/synthetic/pair_i2.hdr');
    const image = load('nifti/synthetic/pair_i2.img');
    const blank = { name: 'other/pair_i2.img', bytes: new Uint8Array(image.bytes.length) };
    const volume = await open(blank, { ...header, name: 'mine/pair_i2.hdr' }, { ...image, name: 'mine/pair_i2.img' });
    expect(volume.data).toEqual((await open(header, image)).data);
    expect(volume.data.some((value) => value !== 0)).toBe(true);
  });

  it('names what is supported where nothing can be read', async () => {
    await expect(open(junk('a.txt'))).rejects.toThrow(/a\.txt is no image .* supported are DICOM .* NIfTI, .* PNG/);
    await expect(open()).rejects.toThrow(/no image was found; supported are/);
  });

  it('never shows markup from a file name', async () => {
    await expect(open(junk('<img src=x onerror=alert(1)>.nii'))).rejects.toThrow(/^[^<>]*$/);
  });
});
