import type { Slice } from './slice.ts';

/**
 * An ellipse of value 1 with a brighter (1.5) and a darker (0.5) insert, in an n × n image. In numpy, with x, y the
 * pixel centres in (−1, 1): a = 1.0·((x/.7)² + (y/.5)² < 1) + .5·(((x−.25)/.15)² + ((y+.1)/.2)² < 1)
 * − .5·(((x+.3)/.1)² + ((y−.1)/.1)² < 1).
 */
export function phantom(n: number): Slice {
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const x = (2 * j + 1) / n - 1;
      const y = (2 * i + 1) / n - 1;
      const within = (cx: number, cy: number, rx: number, ry: number) =>
        ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1 ? 1 : 0;
      const inserts = within(0.25, -0.1, 0.15, 0.2) - within(-0.3, 0.1, 0.1, 0.1);
      data[i * n + j] = within(0, 0, 0.7, 0.5) + 0.5 * inserts;
    }
  }
  return { width: n, height: n, data };
}

/** Standard deviation of the middle 0.3 … 0.7 of an n × n image along both axes, inside the phantom. */
export function middleDeviation(image: Float32Array, n: number): number {
  const values: number[] = [];
  for (let i = Math.trunc(n * 0.3); i < Math.trunc(n * 0.7); i++) {
    for (let j = Math.trunc(n * 0.3); j < Math.trunc(n * 0.7); j++) values.push(image[i * n + j]!);
  }
  const mean = average(values);
  return Math.sqrt(average(values.map((value) => (value - mean) ** 2)));
}

export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
