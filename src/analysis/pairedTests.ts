import { normalTwoSided, studentTwoSided } from './distributions.ts';

export interface PairedTTest {
  readonly t: number;
  readonly degreesOfFreedom: number;
  /** Two-sided. */
  readonly p: number;
}

export interface WilcoxonTest {
  /** The smaller of the rank sums of positive and of negative differences. */
  readonly statistic: number;
  /** Differences that are not 0. */
  readonly count: number;
  /** Two-sided. */
  readonly p: number;
  readonly method: 'exact' | 'normal approximation';
}

/** Two restorations of the same slices, compared by one metric. */
export interface PairedComparison {
  readonly pairs: number;
  /** Pairs with a value that is not finite: a PSNR of an image that equals its reference. */
  readonly leftOut: number;
  /** Of first − second; null without pairs. */
  readonly meanDifference: number | null;
  /** null for fewer than two pairs, or where all differences are 0. */
  readonly tTest: PairedTTest | null;
  /** null where all differences are 0. */
  readonly wilcoxon: WilcoxonTest | null;
}

/** Up to this many differences without ties, all 2ⁿ signs are counted. */
const MOST_EXACT = 25;

/**
 * Paired t-test and Wilcoxon signed-rank test of first[i] against second[i]. Both take the pairs as independent;
 * neighbouring slices of one volume are not, so that p is smaller than it would be over patients.
 *
 * @throws RangeError where the lists differ in length
 */
export function comparePaired(first: readonly number[], second: readonly number[]): PairedComparison {
  if (first.length !== second.length) {
    throw new RangeError(`paired tests: ${first.length} values against ${second.length}; give both of the same slices`);
  }
  const differences = first.map((value, i) => value - second[i]!).filter(Number.isFinite);
  const pairs = differences.length;
  return {
    pairs,
    leftOut: first.length - pairs,
    meanDifference: pairs > 0 ? mean(differences) : null,
    tTest: pairedTTest(differences),
    wilcoxon: wilcoxonSignedRank(differences),
  };
}

/**
 * t = mean / (s / √n) of paired differences, s their sample standard deviation, at n − 1 degrees of freedom. Infinite
 * where all differences are one value other than 0; null for n < 2 or where all are 0.
 */
export function pairedTTest(differences: readonly number[]): PairedTTest | null {
  const n = differences.length;
  if (n < 2 || differences.every((value) => value === 0)) return null;
  const centre = mean(differences);
  const squares = differences.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const t = centre / Math.sqrt(squares / (n - 1) / n);
  return { t, degreesOfFreedom: n - 1, p: studentTwoSided(t, n - 1) };
}

/**
 * Wilcoxon's signed-rank test of paired differences: zeros are dropped, equal magnitudes share their mean rank. Exact
 * for up to 25 differences without ties; else the normal approximation with the variance corrected for ties and a
 * continuity correction of 1/2. null where nothing but zeros is left.
 */
export function wilcoxonSignedRank(differences: readonly number[]): WilcoxonTest | null {
  const sorted = differences.filter((value) => value !== 0).sort((a, b) => Math.abs(a) - Math.abs(b));
  const count = sorted.length;
  if (count === 0) return null;
  let positive = 0;
  let tieCorrection = 0;
  for (let start = 0; start < count; ) {
    let end = start + 1;
    while (end < count && Math.abs(sorted[end]!) === Math.abs(sorted[start]!)) end++;
    const size = end - start;
    const rank = (start + 1 + end) / 2;
    positive += rank * sorted.slice(start, end).filter((value) => value > 0).length;
    tieCorrection += size ** 3 - size;
    start = end;
  }
  const statistic = Math.min(positive, (count * (count + 1)) / 2 - positive);
  if (count <= MOST_EXACT && tieCorrection === 0) {
    return { statistic, count, p: Math.min(1, 2 * shareUpTo(statistic, count)), method: 'exact' };
  }
  const centre = (count * (count + 1)) / 4;
  const variance = (count * (count + 1) * (2 * count + 1) - tieCorrection / 2) / 24;
  const z = Math.max(0, centre - statistic - 0.5) / Math.sqrt(variance);
  return { statistic, count, p: normalTwoSided(z), method: 'normal approximation' };
}

/** The share of all sign patterns over the ranks 1 … n whose positive ranks sum to at most `sum`. */
function shareUpTo(sum: number, n: number): number {
  // patterns[s]: how many subsets of the ranks so far sum to s; below 2²⁵, so exact.
  const patterns = new Float64Array((n * (n + 1)) / 2 + 1);
  patterns[0] = 1;
  for (let rank = 1, reached = 0; rank <= n; rank++) {
    reached += rank;
    for (let s = reached; s >= rank; s--) patterns[s]! += patterns[s - rank]!;
  }
  return patterns.subarray(0, sum + 1).reduce((total, value) => total + value, 0) / 2 ** n;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
