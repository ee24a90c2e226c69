import { describe, expect, it } from 'vitest';
import { seededRandom } from './random.ts';

const draws = 100_000;

function moments(draw: () => number): { mean: number; variance: number } {
  const values = Float64Array.from({ length: draws }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / draws;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws };
}

describe('seeded random numbers', () => {
  it('repeats itself for a seed and not for another', () => {
    const take = (seed: number) => {
      const random = seededRandom(seed);
      return [random.uniform(), random.normal(), random.normal(), random.poisson(3), random.poisson(3000)];
    };
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
    expect(take(0)).not.toEqual(take(-1));
  });

  it('is uniform in (0, 1) and never at its ends', () => {
    const random = seededRandom(1);
    const bins = new Uint32Array(64);
    let outside = 0;
    for (let i = 0; i < draws; i++) {
      const value = random.uniform();
      if (!(value > 0 && value < 1)) outside++;
      bins[Math.floor(value * 64)]!++;
    }
    expect(outside).toBe(0);
    // χ² of 63 degrees of freedom: 63 ± 11.2; 120 is beyond five standard deviations.
    const chi = bins.reduce((sum, count) => sum + (count - draws / 64) ** 2 / (draws / 64), 0);
    expect(chi).toBeLessThan(120);
    expect(chi).toBeGreaterThan(20);
  });

  it('is normal with mean 0, variance 1 and the right tails', () => {
    const random = seededRandom(2);
    const { mean, variance } = moments(random.normal);
    // Five standard errors: 1/√n and √(2/n).
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(draws));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / draws));
    let beyond = 0;
    for (let i = 0; i < draws; i++) if (Math.abs(random.normal()) > 1.959964) beyond++;
    expect(Math.abs(beyond / draws - 0.05)).toBeLessThan(5 * Math.sqrt((0.05 * 0.95) / draws));
  });

  it.each([0.3, 4, 9.99, 10, 37, 4000, 2e5])('counts Poisson events of mean %d: mean and variance agree', (lambda) => {
    const random = seededRandom(3);
    const { mean, variance } = moments(() => random.poisson(lambda));
    expect(Math.abs(mean - lambda)).toBeLessThan(5 * Math.sqrt(lambda / draws));
    // Var(s²) of a Poisson variable: (λ + 2λ²)/n.
    expect(Math.abs(variance - lambda)).toBeLessThan(5 * Math.sqrt((lambda + 2 * lambda * lambda) / draws));
  });

  it.each([3, 12, 60])('draws Poisson counts of mean %d with the probabilities e^−λ λ^k / k!', (lambda) => {
    const random = seededRandom(4);
    const seen = new Map<number, number>();
    for (let i = 0; i < draws; i++) {
      const k = random.poisson(lambda);
      seen.set(k, (seen.get(k) ?? 0) + 1);
    }
    let chi = 0;
    let degrees = -1;
    let probability = Math.exp(-lambda);
    for (let k = 0; k < 4 * lambda + 20; probability *= lambda / ++k) {
      const expected = probability * draws;
      if (expected < 20) continue;
      chi += ((seen.get(k) ?? 0) - expected) ** 2 / expected;
      degrees++;
    }
    expect(chi).toBeLessThan(degrees + 5 * Math.sqrt(2 * degrees));
  });

  it('counts nothing where nothing is expected', () => {
    const random = seededRandom(5);
    expect([random.poisson(0), random.poisson(-1), random.poisson(NaN)]).toEqual([0, 0, 0]);
  });
});
