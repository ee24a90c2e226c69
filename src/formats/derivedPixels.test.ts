import { describe, expect, it } from 'vitest';
import type { DataSet } from 'dicom-parser';
import { decimalString } from './dicomPixelEncoding.ts';
import { changed, opened, saved, storedIn, valuesIn } from './fixtures/derivedOutput.ts';
import { ctSpecs, inOrder, petSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import type { Volume } from './volume.ts';

const ct = (stored: readonly number[], bitsStored: number, ...extra: ElementSpec[]): Promise<Volume> =>
  opened(dicomFile('ct.dcm', inOrder(ctSpecs(stored, bitsStored), extra)));

/** Bits allocated, bits stored, high bit, pixel representation. */
const storage = (set: DataSet | undefined): (number | undefined)[] =>
  ['x00280100', 'x00280101', 'x00280102', 'x00280103'].map((tag) => set?.uint16(tag));

/** Values that lie between the grid's, as a network's do; the same for every run. */
const uneven = (value: number, index: number): number => value + ((index * 0.377) % 1) - 0.5;

/** float32 has 24 bits: what reading and changing a value may cost, as a share of it. */
const FLOAT32 = 2 ** -23;

function expectWithinHalfStep(found: readonly number[], wanted: Float32Array, step: number): void {
  expect(found).toHaveLength(wanted.length);
  const worst = found.reduce((most, value, index) => {
    const expected = wanted[index] ?? Number.NaN;
    return Math.max(most, (Math.abs(value - expected) - FLOAT32 * Math.abs(expected)) / step);
  }, 0);
  expect(worst).toBeLessThanOrEqual(0.5);
}

describe('restored values are within half a step of the source', () => {
  const sources: readonly (readonly [path: string, step: number, storage: readonly number[]])[] = [
    ['dicom/pydicom/CT_small.dcm', 1, [16, 16, 15, 1]],
    ['dicom/pydicom/MR_small.dcm', 1, [16, 16, 15, 1]],
    ['dicom/pydicom/MR_small_bigendian.dcm', 1, [16, 16, 15, 1]],
    ['dicom/pydicom/MR_small_implicit.dcm', 1, [16, 16, 15, 1]],
    ['dicom/synthetic/deflated.dcm', 1, [16, 16, 15, 0]],
    ['dicom/synthetic/monochrome1.dcm', 1, [16, 16, 15, 0]],
    ['dicom/synthetic/bits12_highbit15.dcm', 1, [16, 12, 11, 0]],
    ['dicom/synthetic/signed12_in_16_needs_signext.dcm', 1, [16, 12, 11, 1]],
    ['dicom/synthetic/u8_odd_length_padded.dcm', 1, [8, 8, 7, 0]],
    ['dicom/synthetic/multiframe_3.dcm', 1, [16, 16, 15, 0]],
  ];
  for (const [path, step, stored] of sources) {
    it(path, async () => {
      const volume = await opened(load(path));
      const same = (await saved(volume)).sets[0];
      // What a network leaves unchanged is written as it was, bit for bit, in the source's own depth and sign.
      expect(same && valuesIn(same)).toEqual([...volume.data]);
      expect(storage(same)).toEqual(stored);
      // Towards the middle, so that the ends of the range are not the question here.
      const middle = volume.data.reduce((a, b) => a + b, 0) / volume.data.length;
      const restored = changed(volume, (value, index) => (value > middle ? value - (index % 7) / 7 : value + 0.3));
      const [set] = (await saved(restored)).sets;
      expectWithinHalfStep(set ? valuesIn(set) : [], restored.data, step);
      expect(storage(set)).toEqual(stored);
    });
  }

  it('32 bits', async () => {
    const volume = await opened(load('dicom/synthetic/u32.dcm'));
    const { sets, notices } = await saved(changed(volume, uneven));
    expect(storage(sets[0])).toEqual([32, 32, 31, 0]);
    expectWithinHalfStep(sets[0] ? valuesIn(sets[0]) : [], changed(volume, uneven).data, 1);
    expect(notices.join(' ')).not.toMatch(/steps/);
  });

  it('PET, where every slice has a slope of its own and no intercept', async () => {
    const volume = await opened(
      dicomFile('a', petSpecs([0, 1, 2, 3, 4, 60000], '0.5', 0)),
      dicomFile('b', petSpecs([9, 8, 7, 6, 5, 4], '0.03125', 1)),
    );
    const restored = changed(volume, (value, index) => Math.max(0, value + (index % 3) * 0.011));
    const { sets } = await saved(restored);
    expect(sets.map((set) => [set.string('x00281053'), set.string('x00281052')]))
      .toEqual([['0.5', '0'], ['0.03125', '0']]);
    sets.forEach((set, slice) => {
      const wanted = restored.data.subarray(slice * 6, slice * 6 + 6);
      expectWithinHalfStep(valuesIn(set), wanted, slice === 0 ? 0.5 : 0.03125);
    });
  });
});

describe('values beyond the source’s range', () => {
  it('take 16 bits where 12 do not do', async () => {
    const { sets: [set], notices } = await saved(changed(await ct([0, 1, 2, 3, 4, 4095], 12), (v) => v * 3 + 2100));
    expect(storage(set)).toEqual([16, 16, 15, 0]);
    expect(set?.string('x00281052')).toBe('-1024');
    expect(set && valuesIn(set)).toEqual([-972, -969, -966, -963, -960, 11313]);
    expect(notices).toEqual([]);
  });

  it('take a sign where they fall below what unsigned can hold', async () => {
    const { sets: [set] } = await saved(changed(await ct([0, 1, 2, 3, 4, 4095], 12), (v) => v - 500));
    expect(storage(set)).toEqual([16, 16, 15, 1]);
    expect(set?.string('x00281052')).toBe('-1024');
    expect(set && valuesIn(set)).toEqual([-1524, -1523, -1522, -1521, -1520, 2571]);
  });

  it('move the intercept, never the slope, while 65536 steps hold them', async () => {
    const wanted = [-40000, -1, 0, 1, 2, 20000];
    const { sets: [set], notices } = await saved(changed(await ct([0, 1, 2, 3, 4, 5], 12), (_, i) => wanted[i] ?? 0));
    expect(storage(set)).toEqual([16, 16, 15, 0]);
    expect([set?.string('x00281053'), set?.string('x00281052')]).toEqual(['1', '-40000']);
    expect(set && valuesIn(set)).toEqual(wanted);
    expect(notices).toEqual([]);
  });

  it('take a larger slope only beyond that, and say so with numbers', async () => {
    const wanted = [-100000, 0, 1, 2, 3, 100000];
    const { sets: [set], notices } = await saved(changed(await ct([0, 1, 2, 3, 4, 5], 12), (_, i) => wanted[i] ?? 0));
    const slope = set?.floatString('x00281053') ?? 0;
    // 200000 over 65534 steps.
    expect(slope).toBeCloseTo(3.05185, 5);
    expectWithinHalfStep(set ? valuesIn(set) : [], Float32Array.from(wanted), slope);
    expect(notices).toEqual([
      'Values from -100000 to 100000 have more steps of 1 than the pixels can hold; 1 of the saved images or frames ' +
      'have larger steps, up to 3.05185.',
    ]);
  });

  it('in PET leave the intercept at 0, and all slices stored alike', async () => {
    const volume = await opened(
      dicomFile('a', petSpecs([0, 1, 2, 3, 4, 5], '0.5', 0)), dicomFile('b', petSpecs([9, 8, 7, 6, 5, 4], '0.25', 1)),
    );
    const { sets } = await saved(changed(volume, (value, index) => (index === 0 ? -1 : value)));
    expect(sets.map(storage)).toEqual([[16, 16, 15, 1], [16, 16, 15, 1]]);
    expect(sets.map((set) => set.string('x00281052'))).toEqual(['0', '0']);
    expect(sets[0] && valuesIn(sets[0])).toEqual([-1, 0.5, 1, 1.5, 2, 2.5]);
    const far = await saved(changed(volume, (value, index) => (index === 0 ? -20000 : index === 5 ? 40000 : value)));
    expect(far.sets.map((set) => set.string('x00281052'))).toEqual(['0', '0']);
    expect(far.sets[1]?.string('x00281053')).toBe('0.25');
    const values = far.sets[0] ? valuesIn(far.sets[0]) : [];
    expect(Math.abs((values[5] ?? 0) - 40000)).toBeLessThanOrEqual((far.sets[0]?.floatString('x00281053') ?? 0) / 2);
    expect(far.notices.join(' ')).toMatch(/1 of the saved images or frames have larger steps/);
  });

  it('in MR need no rescale as long as whole numbers do', async () => {
    const volume = await opened(load('dicom/pydicom/MR_small.dcm'));
    const { sets: [set] } = await saved(changed(volume, (value) => value * 20));
    expect(set?.elements['x00281053']).toBeUndefined();
    expect(storage(set)).toEqual([16, 16, 15, 0]);
  });
});

describe('other kinds of pixels', () => {
  it('float stays float, bit for bit', async () => {
    const values = [0.1, -2.5e10, 3, Number.NaN, 1e-30, 7].map(Math.fround);
    const integer = ['00280101', '00280102', '00280103', '00281052', '00281053', '00281054', '7FE00010'];
    const specs = inOrder(ctSpecs([]), [['00280100', 'US', [32]], ['7FE00008', 'OF', values]])
      .filter(([tag]) => !integer.includes(tag));
    const volume = await opened(dicomFile('f.dcm', specs));
    const { sets: [set] } = await saved(volume);
    expect(set?.elements['x7fe00010']).toBeUndefined();
    expect(set && storedIn(set)).toEqual(values);
    expect(set?.elements['x00280101']).toBeUndefined();
  });

  it('voxels that are no numbers become padding, or the least value, and are counted in a notice', async () => {
    const holes = [undefined, Number.NaN, Infinity];
    const holed = (volume: Volume): Volume => changed(volume, (value, index) => holes[index] ?? value);
    const padded = await saved(holed(await ct([9, 1, 2, 3, 4, 5], 12, ['00280120', 'US', [4095]])));
    expect(padded.sets[0] && storedIn(padded.sets[0])).toEqual([9, 4095, 4095, 3, 4, 5]);
    expect(padded.sets[0]?.uint16('x00280120')).toBe(4095);
    const bare = await saved(holed(await ct([9, 1, 2, 3, 4, 5], 12)));
    expect(bare.sets[0] && storedIn(bare.sets[0])).toEqual([9, 0, 0, 3, 4, 5]);
    expect(bare.notices).toEqual([
      '2 voxels without a finite number were saved as padding or, where the source has none, as the smallest ' +
      'storable value.',
    ]);
  });

  it('padding is kept where voxels still hold it, and removed where none does', async () => {
    const volume = await ct([4000, 1, 2, 3, 4, 5], 12, ['00280120', 'US', [4000]], ['00280121', 'US', [4010]]);
    const kept = (await saved(volume)).sets[0];
    expect([kept?.uint16('x00280120'), kept?.uint16('x00280121')]).toEqual([4000, 4010]);
    const gone = (await saved(changed(volume, (value) => Math.min(value, 900)))).sets[0];
    expect([kept && gone?.elements['x00280120'], gone?.elements['x00280121']]).toEqual([undefined, undefined]);
  });

  it('colour becomes shades of grey, with a notice', async () => {
    const specs = inOrder(ctSpecs([]), [
      ['00280002', 'US', [3]], ['00280004', 'CS', 'RGB'], ['00280006', 'US', [0]], ['00280100', 'US', [8]],
      ['00280101', 'US', [8]], ['00280102', 'US', [7]],
      ['7FE00010', 'OB', Uint8Array.from([255, 255, 255, 0, 0, 0, 10, 10, 10, 20, 20, 20, 30, 30, 30, 200, 200, 200])],
    ]).filter(([tag]) => !tag.startsWith('002810'));
    const { sets: [set], notices } = await saved(await opened(dicomFile('c.dcm', specs)));
    expect([set?.uint16('x00280002'), set?.string('x00280004'), set?.elements['x00280006']])
      .toEqual([1, 'MONOCHROME2', undefined]);
    expect(storage(set)).toEqual([8, 8, 7, 0]);
    expect(set && storedIn(set)).toEqual([255, 0, 10, 20, 30, 200]);
    expect(notices).toContain('The source is in colour; the saved images are in shades of grey.');
  });

  it('MONOCHROME1 stays', async () => {
    const { sets: [set] } = await saved(await opened(load('dicom/synthetic/monochrome1.dcm')));
    expect(set?.string('x00280004')).toBe('MONOCHROME1');
  });

  it('a modality look-up table becomes a rescale in its units', async () => {
    const specs = inOrder(ctSpecs([0, 1, 2, 3, 2, 1]), [['00283000', 'SQ', [[
      ['00283002', 'US', [4, 0, 16]], ['00283004', 'LO', 'OD'], ['00283006', 'US', [100, 250, 7, 65000]],
    ]]]]).filter(([tag]) => !['00281052', '00281053', '00281054'].includes(tag));
    const { sets: [set] } = await saved(await opened(dicomFile('l.dcm', specs)));
    expect(set?.elements['x00283000']).toBeUndefined();
    expect(set?.string('x00281054')).toBe('OD');
    expect(set && valuesIn(set)).toEqual([100, 250, 7, 65000, 7, 250]);
  });

  it('counts that a private factor made Bq/mL are saved as Bq/mL', async () => {
    const specs = inOrder(petSpecs([0, 1, 2, 3, 4, 500], '2'), [
      ['00541001', 'CS', 'CNTS'], ['70530010', 'LO', 'Philips PET Private Group'], ['70531000', 'DS', '0.001'],
      ['70531009', 'DS', '1.5'],
    ]);
    const { sets: [set] } = await saved(await opened(dicomFile('p.dcm', specs)));
    expect(set?.string('x00541001')).toBe('BQML');
    expect([set?.elements['x70531000'], set?.elements['x70531009']]).toEqual([undefined, undefined]);
    expect(set?.string('x00281053')).toBe('3');
    expect(set && valuesIn(set)).toEqual([0, 3, 6, 9, 12, 1500]);
  });

  it('a mapping to real-world values is kept only while stored values mean what they did', async () => {
    const mapping: ElementSpec = ['00409096', 'SQ', [[['00409224', 'FD', [0]], ['00409225', 'FD', [2]]]]];
    const volume = await ct([0, 1, 2, 3, 4, 5], 12, mapping);
    expect((await saved(volume)).sets[0]?.elements['x00409096']).toBeDefined();
    const moved = changed(volume, (_, index) => index * 12000 - 30000);
    expect((await saved(moved)).sets[0]?.elements['x00409096']).toBeUndefined();
  });
});

it('decimal strings have at most 16 characters and all the digits that fit', () => {
  const thirds = [1 / 3, -1 / 3, 1e-7 / 3];
  for (const value of [...thirds, -1.23456789012345e-100, 12345678901234567890, Math.PI * 1e13, 0, -0.5]) {
    const text = decimalString(value);
    expect(text.length).toBeLessThanOrEqual(16);
    expect(text).toMatch(/^-?[\d.]+(e[+-]?\d+)?$/);
    // The longest exponent leaves eight digits and the sign.
    expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-8);
  }
  expect(decimalString(0.5)).toBe('0.5');
});
