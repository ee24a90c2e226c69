import { describe, expect, it } from 'vitest';
import { degrade, STRENGTH } from '../image/degrade.ts';
import { phantom } from '../image/phantom.fixture.ts';
import type { Slice } from '../image/slice.ts';
import { evaluate } from './metrics.ts';
import { sweep, sweepCsv, SWEEP_STRENGTHS } from './sweep.ts';
import type { SweepOptions, SweepPoint } from './sweep.ts';

const range = { min: 0, max: 2 };

/** 29 rows of 24 columns. */
const reference: Slice = (() => {
  const { data } = phantom(32);
  return {
    width: 24,
    height: 29,
    data: Float32Array.from({ length: 24 * 29 }, (_, i) => data[(Math.floor(i / 24) + 1) * 32 + (i % 24) + 4]!),
  };
})();

const options: SweepOptions = { task: 'mri', slices: [reference], strengths: [2, 4], models: [], range, seed: 0 };

async function all(changes: Partial<SweepOptions>): Promise<SweepPoint[]> {
  const points: SweepPoint[] = [];
  for await (const point of sweep({ ...options, ...changes })) points.push(point);
  return points;
}

/** Half-way back to the reference: the error is halved. */
const halfWay = {
  name: 'half',
  restore: async (input: Slice) => ({ ...input, data: input.data.map((v, i) => (v + reference.data[i]!) / 2) }),
};

describe('sweep', () => {
  it('gives the input and each model at each strength, in this order', async () => {
    const perfect = { name: 'perfect', restore: async () => reference };
    const points = await all({ models: [halfWay, perfect] });
    expect(points.map(({ strength, model }) => [strength, model])).toEqual([
      [2, null],
      [2, 'half'],
      [2, 'perfect'],
      [4, null],
      [4, 'half'],
      [4, 'perfect'],
    ]);
    for (const at of [0, 3]) {
      const [input, half, whole] = points.slice(at, at + 3);
      // Half the error is 20·log10(2) dB; the magnitude image lies within the range but for float32.
      expect(half!.rmse).toBeCloseTo(input!.rmse / 2, 6);
      expect(half!.psnr).toBeCloseTo(input!.psnr + 20 * Math.log10(2), 4);
      expect(whole).toMatchObject({ psnr: Infinity, ssim: 1, rmse: 0, slices: 1 });
    }
    // Less of k-space, more error.
    expect(points[3]!.rmse).toBeGreaterThan(points[0]!.rmse);
  });

  it('gives the mean over slices, each degraded with a seed of its own', async () => {
    const slices = [reference, { ...reference, data: reference.data.map((value) => value / 2) }];
    const [point] = await all({ task: 'pet', slices, strengths: [4], seed: 7, counts: 1e4 });
    const each = slices.map((slice, i) =>
      evaluate(slice, degrade(slice, 'pet', { strength: 4, seed: 7 + i, counts: 1e4 }), range),
    );
    expect(point!.slices).toBe(2);
    for (const metric of ['psnr', 'ssim', 'rmse'] as const) {
      expect(point![metric]).toBeCloseTo((each[0]![metric] + each[1]![metric]) / 2, 10);
    }
  });

  it('leaves out slices that have one value only, and takes seeds by the places of the others', async () => {
    const above = { ...reference, data: reference.data.map((value) => value + range.max) };
    const [point] = await all({ task: 'pet', slices: [above, reference], places: [4, 9], strengths: [12], seed: 2 });
    const input = degrade(reference, 'pet', { strength: 12, seed: 11 });
    expect(point).toMatchObject({ slices: 1, rmse: evaluate(reference, input, range).rmse });
  });

  it('says how far it is, and stops where it is told to', async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const progress = (done: number, total: number) => {
      seen.push(`${done}/${total}`);
      if (done === 3) stop.abort(new Error('enough'));
    };
    const points: SweepPoint[] = [];
    const run = async () => {
      const models = [halfWay];
      for await (const point of sweep({ ...options, models, progress, signal: stop.signal })) points.push(point);
    };
    await expect(run()).rejects.toThrow('enough');
    expect(seen).toEqual(['1/4', '2/4', '3/4']);
    expect(points.map(({ strength }) => strength)).toEqual([2, 2]);
  });

  it('is refused before any work where a strength is not the task’s or no slice shows anything', async () => {
    const progress = () => expect.unreachable();
    await expect(all({ strengths: [2, 3], progress })).rejects.toThrow(/3 is not simulated for mri; choose 2 or 4/);
    await expect(all({ slices: [], progress })).rejects.toThrow('sweep: no slice has more than one value within 0 … 2');
    const empty = { ...reference, data: new Float32Array(reference.data.length) };
    await expect(all({ slices: [empty], progress })).rejects.toThrow('sweep: no slice has more than one value');
  });

  it('has standard strengths that each task can simulate, its own among them', () => {
    for (const task of ['ct', 'pet', 'mri'] as const) {
      const { minimum, maximum, standard, values } = STRENGTH[task];
      const found = SWEEP_STRENGTHS[task];
      for (const strength of found) {
        expect(values?.includes(strength) ?? (strength >= minimum && strength <= maximum)).toBe(true);
      }
      // The paper's PET strength, 12, and the others' standard.
      expect(found).toContain(standard);
      expect([...found].sort((a, b) => a - b)).toEqual(found);
    }
  });
});

describe('CSV of a sweep', () => {
  it('has one line a point, names quoted where they must be and never a formula', () => {
    const point = { strength: 0.25, slices: 3, psnr: 30.5, ssim: 0.9, rmse: 12 };
    const csv = sweepCsv([
      { ...point, model: null },
      { ...point, model: 'light, "v2"' },
      { ...point, model: '=1+1', psnr: Infinity },
    ]);
    expect(csv.split('\n')).toEqual([
      'strength,model,slices,psnr,ssim,rmse',
      '0.25,input,3,30.5,0.9,12',
      '0.25,"light, ""v2""",3,30.5,0.9,12',
      `0.25,"'=1+1",3,Infinity,0.9,12`,
      '',
    ]);
  });
});
