import { describe, expect, it } from 'vitest';
import { load, patched } from './fixtures/load.ts';
import { inFolder, ramp, RAMP } from './fixtures/ramp.ts';
import { analyzeDataFiles, isAnalyze, readAnalyze } from './readAnalyze.ts';

const header = load('analyze/int16.hdr');

describe('an Analyze 7.5 pair as nibabel wrote it', () => {
  it('opens with its voxels and sizes, and says that its orientation is unknown', async () => {
    const volume = await readAnalyze(header, inFolder('analyze'));
    expect(volume).toMatchObject({ ...RAMP, times: 1, format: 'analyze', spacing: { x: 2, y: 2.5, z: 4 } });
    expect([...volume.data]).toEqual(ramp());
    expect(volume.notices.join(' ')).toMatch(/left and right may be exchanged/);
  });

  it('opens big-endian with SPM’s scale and a fourth dimension', async () => {
    const volume = await readAnalyze(load('analyze/spm_big_4d.hdr'), inFolder('analyze'));
    expect(volume).toMatchObject({ ...RAMP, slices: 6, times: 2 });
    // nibabel reads the same: the ramp is stored, funused1 is 0.5.
    expect([...volume.data]).toEqual(ramp(2).map((value) => value / 2));
  });

  it('is recognised by content, and NIfTI is not taken for it', () => {
    expect(isAnalyze(header.bytes)).toBe(true);
    expect(isAnalyze(load('nifti/nibabel/tests/data/analyze.hdr').bytes)).toBe(true);
    expect(isAnalyze(load('nifti/synthetic/pair_i2.hdr').bytes)).toBe(false);
    expect(isAnalyze(load('analyze/int16.img').bytes)).toBe(false);
    expect(isAnalyze(patched(header, 72, [8, 0]).bytes)).toBe(false); // bitpix and datatype disagree
    expect(analyzeDataFiles(header)).toEqual(['int16.img', 'int16.img.gz']);
  });

  it('ignores a scale that is not positive', async () => {
    for (const scale of [0, -1, NaN]) {
      const odd = patched(header, 112, [...new Uint8Array(Float32Array.of(scale).buffer)]);
      expect([...(await readAnalyze(odd, inFolder('analyze'))).data]).toEqual(ramp());
    }
  });

  it('asks for the second file, and refuses complex numbers', async () => {
    await expect(readAnalyze(header, async () => null)).rejects.toThrow(/analyze: .*open both files together/);
    const complex = patched(header, 70, [32, 0, 64, 0]);
    await expect(readAnalyze(complex, inFolder('analyze'))).rejects.toThrow(/complex64/);
  });

  it('refuses an image that is too short', async () => {
    const short = async (): Promise<Uint8Array> => load('analyze/int16.img').bytes.subarray(0, 119);
    await expect(readAnalyze(header, short)).rejects.toThrow(/need 120 bytes, the file can hold only 119/);
  });
});
