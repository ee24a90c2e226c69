/** Median, and median absolute deviation from it. */
export function spread(samples: readonly number[]): { median: number; deviation: number } {
  const median = middle(samples);
  return { median, deviation: middle(samples.map((sample) => Math.abs(sample - median))) };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}
