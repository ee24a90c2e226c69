/** A seeded source of random numbers: the same seed gives the same numbers on every machine. */
export interface Random {
  /** Uniform in (0, 1). */
  uniform(): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** Poisson counts of the given mean; 0 where the mean is not above 0. */
  poisson(mean: number): number;
}

/** xoshiro128** (Blackman and Vigna 2018), its state filled from the seed by splitmix32. Any integer is a seed. */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  const split = () => {
    a = (a + 0x9e3779b9) | 0;
    let z = Math.imul(a ^ (a >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let [s0, s1, s2, s3] = [split(), split(), split(), split()];
  const next = () => {
    const five = Math.imul(s1, 5);
    const result = Math.imul((five << 7) | (five >>> 25), 9);
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result >>> 0;
  };
  // 52 random bits, placed in the middle of their interval so that neither 0 nor 1 occurs.
  const uniform = () => ((next() >>> 6) * 67108864 + (next() >>> 6) + 0.5) / 4503599627370496;
  let spare: number | null = null;
  const normal = () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    // Box and Muller 1958.
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const poisson = (mean: number) => {
    if (!(mean > 0)) return 0;
    return mean < 10 ? poissonByProduct(mean, uniform) : poissonByRejection(mean, uniform);
  };
  return { uniform, normal, poisson };
}

/** Knuth: how many uniform factors until their product falls to e^(−mean). */
function poissonByProduct(mean: number, uniform: () => number): number {
  const limit = Math.exp(-mean);
  let count = -1;
  let product = 1;
  do {
    product *= uniform();
    count++;
  } while (product > limit);
  return count;
}

/** PTRS, transformed rejection with a squeeze (Hörmann 1993), exact for means of 10 and more. */
function poissonByRejection(mean: number, uniform: () => number): number {
  const logMean = Math.log(mean);
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= vr) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accept = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b);
    if (accept <= k * logMean - mean - logFactorial(k)) return k;
  }
}

const SMALL_LOG_FACTORIALS = [0];
for (let k = 1; k < 16; k++) SMALL_LOG_FACTORIALS.push(SMALL_LOG_FACTORIALS[k - 1]! + Math.log(k));

/** ln k!, by Stirling's series from 16 on (error below 1e-12). */
function logFactorial(k: number): number {
  if (k < 16) return SMALL_LOG_FACTORIALS[k]!;
  const inverse = 1 / (k + 1);
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (k + 0.5) * Math.log(k + 1) - (k + 1) + 0.5 * Math.log(2 * Math.PI) + series;
}
