import { describe, expect, it } from 'vitest';
import { findDicomImages } from './dicomSeries.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import { sourceOf } from './volume.ts';
import type { NamedBytes } from './volume.ts';

const find = (...files: readonly NamedBytes[]) => findDicomImages(files.map(sourceOf));
const image = load('dicom/pydicom/CT_small.dcm');

/** An index whose records' offsets are given as they come. */
function directory(records: readonly { path: string; next: number; type?: string; inUse?: number }[]): NamedBytes {
  return dicomFile('disk/DICOMDIR', [
    ['00080016', 'UI', '1.2.840.10008.1.3.10'],
    ['00041200', 'UL', [records[0]?.next ?? 0]],
    ['00041220', 'SQ', records.map(({ path, next, type = 'IMAGE', inUse = 0xffff }): ElementSpec[] => [
      ['00041400', 'UL', [next]], ['00041410', 'US', [inUse]], ['00041420', 'UL', [next]],
      ['00041430', 'CS', type], ['00041500', 'CS', path],
    ])],
  ]);
}

describe('a DICOMDIR', () => {
  it('alone says what it lists', async () => {
    // pydicom's example: 31 image records.
    await expect(find(load('dicom/pydicom/dicomdirtests/DICOMDIR'))).rejects
      .toThrow('dicom: DICOMDIR is an index that lists 31 images; open the folder that holds it');
  });

  it('with its folder says which files are missing, whatever their case and ending', async () => {
    const index = directory([1, 2, 3].map((number) => ({ path: `PAT\\IM${number}`, next: 0 })));
    const given = ['disk/pat/im1.dcm', 'disk/PAT/IM3;1'].map((name) => ({ ...image, name }));
    const { images, notices } = await find(index, ...given);
    expect(images).toHaveLength(1);
    expect(notices).toEqual(['DICOMDIR lists 3 images, of which 1 are not here: PAT/IM2.']);
  });

  it('that is complete says nothing', async () => {
    const { notices } = await find(directory([{ path: 'IM1', next: 0 }]), { ...image, name: 'IM1' });
    expect(notices).toEqual([]);
  });

  it('does not count records out of use and those of other kinds', async () => {
    const index = directory([
      { path: 'A', next: 0 }, { path: 'B', next: 0, inUse: 0 }, { path: 'C', next: 0, type: 'SR DOCUMENT' },
    ]);
    await expect(find(index)).rejects.toThrow(/lists 1 image;/);
  });

  it('whose records point at each other or nowhere is read as any other', async () => {
    const index = directory([{ path: 'A', next: 400 }, { path: 'B', next: 400 }, { path: 'C', next: 0xfffffff0 }]);
    await expect(find(index)).rejects.toThrow(/lists 3 images/);
  });
});
