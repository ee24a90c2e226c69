import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { ShapeError } from '../model/ops.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { noise } from './gradientCheck.ts';
import { sumPartials as reference } from './sumPartials.reference.ts';
import { sumPartials } from './sumPartials.ts';

const inFloat32 = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

async function summed({ shape, data }: Float64Image, scale?: number): Promise<Float32Array> {
  const [count, length] = shape as [number, number];
  const dispatch = sumPartials({ partials: 'partials', count, length, sums: 'sums', scale });
  const results = await runDispatches(await testDevice(), { partials: data, sums: length }, [dispatch], ['sums']);
  return results.get('sums')!;
}

describe('sums of partials', () => {
  test.for([
    [1, 1], [1, 300], [3, 7], [16, 5], [17, 257], [70, 144], [200, 4097], [5000, 12], [2, 70000], [40, 65537],
  ])('are right for %i partials of %i entries', async ([count, length]) => {
    const partials = inFloat32(noise([count!, length!], 1));
    const [got, expected] = [await summed(partials), reference(partials)];
    // A partial meets at most 32 + 6 roundings and one for each block, each of 6e-8 of a sum of at most count.
    const magnitude = reference(float64Image(partials.shape, partials.data.map(Math.abs)));
    const roundings = 38 + count! / 512;
    for (const [j, sum] of got.entries()) {
      expect(Math.abs(sum - expected.data[j]!)).toBeLessThanOrEqual(roundings * 2 ** -24 * magnitude.data[j]!);
    }
  });

  test('are multiplied by the scale', async () => {
    expect([...await summed(float64Image([2, 3], [1, 2, 3, 10, 20, 30]), 0.25)]).toEqual([2.75, 5.5, 8.25]);
  });

  test('begin at an offset', async () => {
    const dispatch = sumPartials({ partials: 'partials', offset: 1, count: 3, length: 2, sums: 'sums' });
    const contents = { partials: [1e6, 1, 2, 10, 20, 100, 200, 1e6], sums: 2 };
    const results = await runDispatches(await testDevice(), contents, [dispatch], ['sums']);
    expect([...results.get('sums')!]).toEqual([111, 222]);
  });

  test('do not drift where a hundred thousand partials are alike', async () => {
    // 32 + 6 roundings and one for each block of 2048, of 6e-8 each; one accumulator is off by 1e-4 and more.
    const [sum] = await summed(float64Image([100_000, 1], new Float64Array(100_000).fill(Math.fround(0.1))));
    expect(Math.abs(sum! / (100_000 * Math.fround(0.1)) - 1)).toBeLessThan(5.2e-6);
  });

  test('partials of another rank are refused', () => {
    expect(() => reference(float64Image([4], [1, 2, 3, 4]))).toThrow(ShapeError);
    expect(() => reference(float64Image([4], [1, 2, 3, 4]))).toThrow('[4]');
  });
});
