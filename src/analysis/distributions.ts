/** Continued fractions here converge in well under this many terms for what tests ask. */
const MOST_TERMS = 10_000;
const EPSILON = 1e-16;
/** Stands for 0 where a continued fraction would divide by it (the modified method of Lentz). */
const TINY = 1e-300;

/**
 * Two-sided tail of Student's t distribution: the probability of |T| ≥ |t| at ν > 0 degrees of freedom,
 * I_{ν/(ν + t²)}(ν/2, 1/2).
 */
export function studentTwoSided(t: number, degreesOfFreedom: number): number {
  if (Number.isNaN(t)) return NaN;
  if (!Number.isFinite(t)) return 0;
  const square = t * t;
  const sum = degreesOfFreedom + square;
  return incompleteBeta(degreesOfFreedom / 2, 0.5, degreesOfFreedom / sum, square / sum);
}

/** Two-sided tail of the standard normal distribution: the probability of |Z| ≥ |z|, erfc(|z| / √2). */
export function normalTwoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (!(x > 2)) return 1 - errorFunction(x);
  // erfc(x) = e^{−x²} / √π · 1/(x + (1/2)/(x + (2/2)/(x + …))), DLMF 7.9.1, from its far end.
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/** erf(x) for |x| ≤ 2: e^{−x²} · 2/√π · Σ 2ᵏ x^{2k+1} / (2k+1)!!, DLMF 7.6.2, all terms of one sign. */
function errorFunction(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > EPSILON * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** The regularised incomplete beta function I_x(a, b), a, b > 0; `complement` is 1 − x without its rounding. */
function incompleteBeta(a: number, b: number, x: number, complement: number): number {
  if (x <= 0) return 0;
  if (complement <= 0) return 1;
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(complement),
  );
  // The fraction converges fast below the mean; beyond it the symmetry I_x(a, b) = 1 − I_{1−x}(b, a) is used.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(a, b, x)) / a;
  return 1 - (front * betaFraction(b, a, complement)) / b;
}

/** The continued fraction of DLMF 8.17.22, evaluated from its beginning. */
function betaFraction(a: number, b: number, x: number): number {
  const nonZero = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const coefficient of [even, odd]) {
      d = 1 / nonZero(1 + coefficient * d);
      c = nonZero(1 + coefficient / c);
      change = c * d;
      result *= change;
    }
    if (Math.abs(change - 1) < 4 * EPSILON) break;
  }
  return result;
}

/** B₂ₖ / (2k (2k − 1)), DLMF 5.11.1. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360];

/** ln Γ(x), x > 0: Stirling's series after shifting x above 12, where its terms here leave less than 1e-16. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const series = STIRLING.reduceRight((sum, coefficient) => coefficient + sum / (z * z), 0) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
