import { describe, expect, it } from 'vitest';
import { niftiOf } from './gathering.fixture.ts';
import { gather, thinned } from './gathering.ts';
import { newStudy } from './study.ts';
import type { TuneSource } from '../fineTune.ts';
import type { NamedFile } from '../protocol.ts';
import type { Volume } from '../../formats/volume.ts';

const file = (name: string, bytes: Uint8Array<ArrayBuffer>): NamedFile => ({ name, file: new File([bytes], name) });

const gathered = (source: TuneSource, study: Volume | null = null, modality: 'ct' | 'pet' | 'mri' = 'mri') =>
  gather({
    source, modality, rule: null, study: study && newStudy(study), job: { cancelled: false }, busy: () => undefined,
  });

describe('what there is to learn from', () => {
  it('is every scan among the files, those of one name told apart', async () => {
    const twin = niftiOf(12, 10, 5);
    const references = [file('a/scan.nii', twin), file('b/scan.nii', twin), file('c.nii', niftiOf(9, 8, 4))];
    const { scans } = await gathered({ kind: 'references', references });
    expect(scans.map(({ reference, input }) => [reference.name, input])).toEqual([
      ['scan', null], ['scan (2)', null], ['c', null],
    ]);
  });

  it('is pairs by name and size, and a sentence for each that is none', async () => {
    const { scans, notices } = await gathered({
      kind: 'pairs',
      inputs: [file('low/a.nii', niftiOf(12, 10, 5)), file('low/b.nii', niftiOf(12, 10, 5))],
      references: [file('high/a.nii', niftiOf(12, 10, 5)), file('high/b.nii', niftiOf(12, 10, 6))],
    });
    expect(scans.map(({ input }) => input!.name)).toEqual(['a']);
    expect(notices.join(' ')).toMatch(/b is 12 × 10 × 5 and b 12 × 10 × 6/);
  });

  it('is nothing where no pair fits, and the mismatch is what is said', async () => {
    const source: TuneSource = {
      kind: 'pairs', inputs: [file('a.nii', niftiOf(12, 10, 5))], references: [file('a.nii', niftiOf(10, 12, 5))],
    };
    await expect(gathered(source)).rejects.toThrow(/There is no MRI slice to learn from\. No pair: a is 12 × 10 × 5/);
  });

  it('leaves out what cannot be read and goes on with the rest', async () => {
    const broken = niftiOf(12, 10, 5).slice(0, 400);
    const { scans, notices } = await gathered({
      kind: 'references', references: [file('a.nii', niftiOf(12, 10, 5)), file('b.nii', broken)],
    });
    expect(scans).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/^b was left out: /)]);
  });

  it('is the open image, and needs one to be open', async () => {
    await expect(gathered({ kind: 'opened' })).rejects.toThrow(/^No image is open/);
  });
});

describe('a scan that is too large', () => {
  const whole = (times = 1): Volume => ({
    name: 'large', format: 'nifti', modality: 'mri', units: 'raw', columns: 3, rows: 2, slices: 8 * times, times,
    data: Float32Array.from({ length: 48 * times }, (_, i) => Math.floor(i / 6)),
    spacing: { x: 1, y: 1, z: 2 }, affine: [1, 0, 0.5, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1], suv: null,
    origin: { format: 'plain', type: 'float32' }, notices: [],
  });

  it('gives every third slice where a third of it fits, farther apart from each other', () => {
    const notices: string[] = [];
    const { slices, data, spacing, affine } = thinned(whole(), 17, notices);
    expect(slices).toBe(3);
    expect([data[0], data[6], data[12]]).toEqual([0, 3, 6]);
    expect(spacing!.z).toBe(6);
    expect(affine!.slice(0, 12)).toEqual([1, 0, 1.5, 0, 0, 1, 0, 0, 0, 0, 6, 0]);
    expect(notices).toEqual([expect.stringContaining('one slice in 3')]);
  });

  it('gives the first of several time points', () => {
    const notices: string[] = [];
    const { slices, times, data } = thinned(whole(2), 1000, notices);
    expect([slices, times, data.length]).toEqual([8, 1, 48]);
    expect(notices).toHaveLength(1);
  });

  it('is left alone, voxels and all, where it fits', () => {
    const volume = whole();
    expect(thinned(volume, 48, [])).toBe(volume);
  });
});
