import { describe, expect, it } from 'vitest';
import { normalTwoSided, studentTwoSided } from './distributions.ts';
import { comparePaired, pairedTTest, wilcoxonSignedRank } from './pairedTests.ts';

// Expected values: scipy 1.17 in float64 (stats.t, stats.norm, ttest_1samp; wilcoxon with method "exact", or
// "asymptotic" with correction=True). Both programs sum up to some hundred terms in float64: twelve digits agree.
const close = (actual: number | undefined, expected: number) =>
  expect(Math.abs(actual! - expected)).toBeLessThanOrEqual(1e-12 * Math.abs(expected));

const WAVE = Array.from({ length: 40 }, (_, i) => 0.7 * Math.sin(1.3 * (i + 1)) + 0.25);
const UNTIED = [0.12, 0.31, -0.05, 0.44, 0.27, -0.11, 0.38, 0.02, 0.19, 0.23, -0.34];
const TIED = [0.5, -0.5, 1, 1, 0, 2, 0, -1.5, 3, 0.5, 2.5, 1];

describe('two-sided tails', () => {
  it.each([
    [0.3, 1, 0.8144528418445154],
    [2, 4, 0.11611652351681556],
    [-2.5, 9, 0.033861827682985735],
    [4.2, 39, 0.0001499032327810321],
    [0.01, 7, 0.9923003176436217],
    [12.5, 30, 1.99849634939664e-13],
    [40, 399, 1.0744804157347196e-141],
    [1e-6, 3, 0.9999992648948061],
    [3, 100000, 0.0027004608840647234],
  ])('of Student\'s t at %f with %i degrees of freedom', (t, degrees, expected) => {
    // ln Γ(50000) is 4.9e5, of which float64 keeps 1e-10: the exponential of such differences keeps ten digits.
    const tolerance = degrees > 1000 ? 1e-9 : 1e-12;
    expect(Math.abs(studentTwoSided(t, degrees) / expected - 1)).toBeLessThan(tolerance);
  });

  it.each([
    [0, 1],
    [0.1, 0.920344325445942],
    [1, 0.31731050786291415],
    [-1.96, 0.04999579029644087],
    [2.9, 0.003731626600768075],
    [5, 5.733031437583866e-7],
    [30, 9.813427854295816e-198],
  ])('of the normal distribution at %f', (z, expected) => close(normalTwoSided(z), expected));

  it('are nothing at infinity', () => {
    expect([studentTwoSided(-Infinity, 3), normalTwoSided(Infinity)]).toEqual([0, 0]);
  });
});

describe('paired t-test', () => {
  it.each([
    ['of few differences', UNTIED, 1.8818120874743862, 0.08925717221519383],
    ['with zeros and ties', TIED, 2.160156237549219, 0.05368968514816401],
    ['of forty slices', WAVE, 3.3924264877454755, 0.0016006538044017722],
    ['of differences that cancel', [0.5, -0.5], 0, 1],
  ])('%s gives scipy\'s t and p', (_, differences, t, p) => {
    const test = pairedTTest(differences);
    close(test?.t, t);
    close(test?.p, p);
    expect(test?.degreesOfFreedom).toBe(differences.length - 1);
  });

  it('says nothing of one pair or of equal images, and is certain where every difference is the same', () => {
    expect(pairedTTest([1.5])).toBeNull();
    expect(pairedTTest([0, 0, 0])).toBeNull();
    expect(pairedTTest([-2, -2, -2])).toEqual({ t: -Infinity, degreesOfFreedom: 2, p: 0 });
  });
});

describe('Wilcoxon signed-rank test', () => {
  it.each([
    ['few differences', UNTIED, 14, 0.1015625, 'exact'],
    ['three of one sign', [1, 2, 3], 0, 0.25, 'exact'],
    ['zeros, which are dropped', [0, 0, 0.3, -0.1, 0.2], 1, 0.5, 'exact'],
    ['zeros and ties', TIED, 9, 0.06513420695564257, 'normal approximation'],
    ['a tie of all', [0.5, -0.5], 1.5, 1, 'normal approximation'],
    ['forty slices', WAVE, 185, 0.0025480913636887347, 'normal approximation'],
    ['forty slices with ties', WAVE.map((value) => Number(value.toFixed(1))), 152, 0.0015192979368541934,
      'normal approximation'],
  ] as const)('of %s gives scipy\'s statistic and p', (_, differences, statistic, p, method) => {
    const test = wilcoxonSignedRank(differences);
    expect(test).toMatchObject({ statistic, method, count: differences.filter((value) => value !== 0).length });
    close(test?.p, p);
  });

  it('meets the published table of critical values at 25 pairs: 89 is within 5 %, 90 is not', () => {
    // Wilcoxon's table, two-sided 0.05, n = 25: critical value 89. Ranks of one sign are chosen to sum to it.
    const withRankSum = (chosen: readonly number[]) =>
      wilcoxonSignedRank(Array.from({ length: 25 }, (_, i) => (chosen.includes(i + 1) ? i + 1 : -(i + 1))))!;
    const at = withRankSum([25, 24, 23, 17]);
    const above = withRankSum([25, 24, 23, 18]);
    expect([at.statistic, above.statistic]).toEqual([89, 90]);
    expect(at.p).toBeLessThanOrEqual(0.05);
    expect(above.p).toBeGreaterThan(0.05);
  });

  it('says nothing where all differences are zero', () => {
    expect(wilcoxonSignedRank([0, 0])).toBeNull();
    expect(wilcoxonSignedRank([])).toBeNull();
  });
});

describe('a comparison of two restorations', () => {
  it('changes sign, not p, when they are exchanged', () => {
    const zeros = WAVE.map(() => 0);
    const [one, other] = [comparePaired(WAVE, zeros), comparePaired(zeros, WAVE)];
    expect(other.meanDifference).toBe(-one.meanDifference!);
    expect(other.tTest?.p).toBe(one.tTest?.p);
    expect(other.wilcoxon).toEqual(one.wilcoxon);
  });

  it('leaves out pairs with an image that equals its reference', () => {
    const compared = comparePaired([Infinity, 31, 32, Infinity], [Infinity, 30, 30.5, 29]);
    expect(compared).toMatchObject({ pairs: 2, leftOut: 2, meanDifference: 1.25 });
    expect(comparePaired([Infinity], [Infinity])).toEqual({
      pairs: 0, leftOut: 1, meanDifference: null, tTest: null, wilcoxon: null,
    });
  });

  it('refuses lists of different lengths', () => {
    expect(() => comparePaired([1], [1, 2])).toThrow(
      new RangeError('paired tests: 1 values against 2; give both of the same slices'),
    );
  });
});
