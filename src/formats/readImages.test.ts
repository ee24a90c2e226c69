import { describe, expect, it } from 'vitest';
import { expectedRows, load, loadFolder } from './fixtures/load.ts';
import { readImages } from './readImages.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

/** Good files that are refused because no decoder is built in, with what the sentence must name. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'dicom/synthetic/multiframe_3.dcm': /multi-frame image \(3 frames/,
  'dicom/synthetic/rle_u16.dcm': /1\.2\.840\.10008\.1\.2\.5 \(RLE Lossless\)/,
};

function outcome(files: readonly NamedBytes[]): Volume | FormatError {
  try {
    return readImages(files);
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
  expect(error.message).toMatch(/^(dicom|nifti|png|open): .{20,}/);
  expect(error.message).not.toMatch(/\n|undefined|Error|\bat .*:\d+/);
}

function filesOf(path: string): NamedBytes[] {
  const paired = path.endsWith('pair_i2.hdr') ? [load(path.replace('.hdr', '.img'))] : [];
  return [load(path), ...paired];
}

describe('every fixture reads as independent readers say', () => {
  for (const { path, verdict, values } of expectedRows()) {
    it(`${path}: ${REFUSED[path] ? 'refused, no decoder' : verdict}`, () => {
      const result = outcome(filesOf(path));
      if (result instanceof FormatError) {
        expectOneSentence(result);
        if (verdict === 'open') expect(result.message).toMatch(REFUSED[path] ?? /opens/);
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

  it('keeps a folder readable when one of its files is damaged, and says so', () => {
    const volume = readImages([...series, { ...load('dicom/synthetic/BAD_rows_zero.dcm'), name: 'folder/broken.dcm' }]);
    expect(volume.slices).toBe(4);
    expect(volume.notices.join(' '))
      .toMatch(/1 file could not be read and was left out; broken: dicom: the image is 24 × 0/);
  });

  it('passes over a DICOMDIR and system files in silence, and names files that are no images', () => {
    const clutter = [
      load('dicom/pydicom/dicomdirtests/DICOMDIR'),
      junk('folder/.DS_Store'), junk('folder/Thumbs.db'), junk('folder/._IM1'),
    ];
    expect(readImages([...clutter, ...series]).notices).toEqual([]);
    expect(readImages([junk('folder/notes.txt'), ...series]).notices).toEqual(['Not an image and left out: notes.txt.']);
  });

  it('opens the format with most files and names the others', () => {
    const volume = readImages([load('nifti/synthetic/dt_i2.nii'), ...series]);
    expect(volume.format).toBe('dicom');
    expect(volume.notices.join(' ')).toContain('left out: dt_i2.nii');
  });

  it('opens the first readable of several NIfTI files', () => {
    const volume = readImages([
      load('nifti/synthetic/BAD_dims_zero.nii'), load('nifti/synthetic/dt_f4.nii'), load('nifti/synthetic/two_d.nii'),
    ]);
    expect(volume.name).toBe('dt_f4');
    expect(volume.notices.join(' ')).toMatch(/BAD_dims_zero was left out: nifti: the dimensions are 0 × 20 × 6/);
    expect(volume.notices.join(' ')).toContain('two_d.nii');
  });

  it('names what is supported where nothing can be read', () => {
    expect(() => readImages([junk('a.txt')])).toThrow(/a\.txt is no image .* supported are DICOM .* NIfTI .* PNG/);
    expect(() => readImages([])).toThrow(/no image was found; supported are/);
  });

  it('never shows markup from a file name', () => {
    expect(() => readImages([junk('<img src=x onerror=alert(1)>.nii')])).toThrow(/^[^<>]*$/);
  });
});
