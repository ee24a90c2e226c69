import { describe, expect, it } from 'vitest';
import { fromSuv, toSuv } from '../image/suv.ts';
import { findDicomImages } from './dicomSeries.ts';
import { inOrder, petSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { sourceOf } from './volume.ts';
import type { SuvScale, Volume } from './volume.ts';

const STORED = [0, 1, 2, 300, 4000, 50000];
/** 70 kg, 370 MBq of F-18 (6586.2 s) at 09:15; series 10:10:11 on 2020-01-02, acquired a second later. */
const pet = (specs: readonly ElementSpec[] = [], index = 0): ElementSpec[] =>
  inOrder(petSpecs(STORED, '0.5', index), specs);

async function read(...slices: readonly (readonly ElementSpec[])[]): Promise<Volume> {
  const files = slices.map((specs, index) => sourceOf(dicomFile(`pet${index}`, specs)));
  const { images } = await findDicomImages(files);
  return (images[0] ?? expect.fail('no image was found')).read();
}

const scale = async (specs: readonly ElementSpec[]): Promise<SuvScale | null> => (await read(pet(specs))).suv;

/** Weight in g over the dose left after a time in s, the definition of the body-weight SUV's factor. */
const factor = (seconds: number): number => 70000 / (370e6 * Math.exp(-Math.LN2 * seconds / 6586.2));

const tracer = (...specs: ElementSpec[]): ElementSpec => ['00540016', 'SQ', [inOrder([
  ['00181072', 'TM', '091500'], ['00181074', 'DS', '370000000'], ['00181075', 'DS', '6586.2'],
], specs)]];

describe('the factor to SUV by body weight', () => {
  it('decays the dose until the series\' time where values are corrected to the start', async () => {
    const suv = await scale([]);
    expect(suv?.factor).toBeCloseTo(factor(55 * 60 + 11), 12);
    expect(suv?.sentence).toBe('SUV by body weight: 70 kg, 370 MBq injected, decayed for 55.2 min until the scan.');
  });

  it('decays until the earliest acquisition where the series was made later', async () => {
    const later: ElementSpec = ['00080031', 'TM', '170000'];
    const acquired = (time: string, index: number): ElementSpec[] => pet([later, ['00080032', 'TM', time]], index);
    const { suv } = await read(acquired('101500', 0), acquired('101000', 1));
    expect(suv?.factor).toBeCloseTo(factor(55 * 60), 12);
  });

  it('takes GE\'s own scan time before that', async () => {
    const suv = await scale([
      ['00080031', 'TM', '170000'], ['00090010', 'LO', 'GEMS_PETD_01'], ['0009100D', 'DT', '20200102100500.00'],
    ]);
    expect(suv?.factor).toBeCloseTo(factor(50 * 60), 12);
  });

  it('does not decay it where values are corrected to the injection', async () => {
    expect((await scale([['00541102', 'CS', 'ADMIN']]))?.factor).toBeCloseTo(70000 / 370e6, 15);
  });

  it('decays until the acquisition where values are not corrected, if all slices share it', async () => {
    const raw = (time: string, index: number): ElementSpec[] =>
      pet([['00541102', 'CS', 'NONE'], ['00080032', 'TM', time]], index);
    expect((await read(raw('101500', 0), raw('101500', 1))).suv?.factor).toBeCloseTo(factor(60 * 60), 12);
    expect((await read(raw('101500', 0), raw('102000', 1))).suv).toEqual({
      factor: null,
      sentence: 'SUV cannot be computed: the values are not decay-corrected and the slices were acquired at ' +
        'different times.',
    });
  });

  it('takes an injection before midnight for one of the day before', async () => {
    const suv = await scale([tracer(['00181072', 'TM', '235000']), ['00080031', 'TM', '003000']]);
    expect(suv?.factor).toBeCloseTo(factor(40 * 60), 12);
  });

  it('takes a date of injection where there is one that does not lie after the scan', async () => {
    const days = await scale([tracer(['00181078', 'DT', '20200101101011'])]);
    expect(days?.factor).toBeCloseTo(factor(24 * 3600), 9);
    const shifted = await scale([tracer(['00181078', 'DT', '20210505091500'])]);
    expect(shifted?.factor).toBeCloseTo(factor(55 * 60 + 11), 12);
  });

  it('is the scanner\'s own for counts of Philips', async () => {
    const philips = (...specs: ElementSpec[]): Promise<Volume> => read(pet([
      ['00541001', 'CS', 'CNTS'], ['70530010', 'LO', 'Philips PET Private Group'], ...specs,
    ]));
    const both = await philips(['70531000', 'DS', '0.0002'], ['70531009', 'DS', '4']);
    expect(both.units).toBe('Bq/mL');
    expect(both.data[5]).toBe(50000 * 0.5 * 4);
    expect(both.suv?.factor).toBeCloseTo(0.0002 / 4, 15);
    const suv = await philips(['70531000', 'DS', '0.0002']);
    expect([suv.units, suv.suv?.factor]).toEqual(['SUV', null]);
    expect(suv.data[5]).toBeCloseTo(50000 * 0.5 * 0.0002, 6);
    expect((await philips()).units).toBe('raw');
  });

  const REASONS: readonly (readonly [string, readonly ElementSpec[], RegExp])[] = [
    ['no weight', [['00101030', 'DS', '']], /patient's weight \(0010,1030\)/],
    ['no dose', [tracer(['00181074', 'DS', ''])], /injected dose \(0018,1074\)/],
    ['a dose in MBq', [tracer(['00181074', 'DS', '370'])], /is 370 Bq, which is too little .* written in MBq/],
    ['no half life', [tracer(['00181075', 'DS', '0'])], /half life \(0018,1075\)/],
    ['no time of injection', [tracer(['00181072', 'TM', ''])], /time of injection/],
    ['no attenuation correction', [['00280051', 'CS', 'DECY\\SCAT']], /not corrected for attenuation/],
    ['no word on decay correction', [['00541102', 'CS', '']], /decay-corrected to \(0054,1102\)/],
    ['another unit', [['00541001', 'CS', 'PROPCPS']], /in the unit PROPCPS, expected BQML/],
    ['no unit', [['00541001', 'CS', '']], /the unit of the values \(0054,1001\)/],
  ];
  for (const [name, specs, reason] of REASONS) {
    it(`is not made up: ${name}`, async () => {
      const suv = await scale(specs);
      expect(suv?.factor).toBeNull();
      expect(suv?.sentence).toMatch(/^SUV cannot be computed: .+\.$/);
      expect(suv?.sentence).toMatch(reason);
    });
  }
});

describe('a volume', () => {
  it('goes to SUV and back', async () => {
    const activity = await read(pet());
    const before = activity.data.slice();
    const suv = toSuv(activity);
    expect([activity.units, suv.units]).toEqual(['Bq/mL', 'SUV']);
    // 25000 Bq/mL an hour after 370 MBq in 70 kg.
    expect(suv.data[5]).toBeCloseTo(25000 * factor(55 * 60 + 11), 5);
    const back = fromSuv(suv);
    expect(back.units).toBe('Bq/mL');
    expect(back.data).not.toBe(suv.data);
    // Two roundings to float32.
    back.data.forEach((value, index) =>
      expect(Math.abs(value - (before[index] ?? NaN))).toBeLessThanOrEqual(2 ** -22 * (before[index] ?? NaN)));
  });

  it('that is SUV by its file, or has no factor, stays as it is', async () => {
    const gml = await read(pet([['00541001', 'CS', 'GML']]));
    expect([gml.units, gml.suv?.factor]).toEqual(['SUV', null]);
    expect(toSuv(gml)).toBe(gml);
    expect(fromSuv(gml)).toBe(gml);
    const unknown = await read(pet([['00101030', 'DS', '']]));
    expect(toSuv(unknown)).toBe(unknown);
    expect(fromSuv(unknown)).toBe(unknown);
  });
});
