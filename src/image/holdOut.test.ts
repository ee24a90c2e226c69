import { describe, expect, it } from 'vitest';
import { holdOut, spread } from './holdOut.ts';

const volume = (name: string, count: number, spacing: number | null = null) =>
  ({ slices: Array.from({ length: count }, (_, i) => `${name}${i}`), spacing });

describe('slices that are held out', () => {
  it('are a tenth in the middle, and those beside them are in neither part', () => {
    const { training, validation } = holdOut([volume('a', 40)]);
    expect(validation).toEqual(['a18', 'a19', 'a20', 'a21']);
    expect(training).toHaveLength(34);
    expect(training).not.toContain('a17');
    expect(training).not.toContain('a22');
    expect(training).toContain('a16');
    expect(training).toContain('a23');
  });

  it('keep 3 mm from what is learnt, but leave out no more than they are themselves', () => {
    const thin = holdOut([volume('a', 100, 1)]);
    expect(thin.validation).toHaveLength(10);
    expect(thin.training).toHaveLength(100 - 10 - 2 * 3);
    expect(holdOut([volume('a', 100, 0.1)]).training).toHaveLength(100 - 3 * 10);
    expect(holdOut([volume('a', 100, 7)]).training).toHaveLength(100 - 10 - 2);
  });

  it('come from each volume; of single slices, every tenth', () => {
    const volumes = [volume('a', 4), ...Array.from({ length: 20 }, (_, i) => volume(`s${i}.`, 1))];
    const { training, validation } = holdOut(volumes);
    expect(validation).toEqual(['a1', 's9.0', 's19.0']);
    expect(training).toHaveLength(24 - 3 - 2);
  });

  it('share nothing with what is learnt from, whatever the sizes', () => {
    for (let count = 0; count < 60; count++) {
      const { training, validation } = holdOut([volume('a', count, 1.5), volume('b', 60 - count)]);
      const all = [...training, ...validation];
      expect(new Set(all).size).toBe(all.length);
      expect(training.length).toBeGreaterThan(validation.length);
    }
  });
});

describe('a spread of items', () => {
  it('has the number asked for, evenly apart, or all', () => {
    expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).toEqual([1, 5, 8]);
    expect(spread([0, 1, 2], 3)).toEqual([0, 1, 2]);
    expect(spread([0, 1], 5)).toEqual([0, 1]);
    expect(spread([0, 1, 2], 0)).toEqual([]);
  });
});
