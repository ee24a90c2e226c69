import { describe, expect, it } from 'vitest';
import { placeRegions, type Region, type Stage } from './regions.ts';

const region = (bytes: number): Region => ({ bytes, address: 0 });
const stage = (...regions: Region[]): Stage =>
  ({ band: 1, total: 1, code: [[1, 7, ...regions]], finally: [], calledOnly: false });

describe('memory for regions', () => {
  it('is shared by those that are never in use together, and by no others', () => {
    // A chain in which each stage reads what the two before it wrote.
    const chain = Array.from({ length: 40 }, (_, i) => region(64 * (1 + ((i * 7) % 11))));
    const stages = chain.slice(2).map((to, i) => stage(chain[i]!, chain[i + 1]!, to));
    const ends = { filled: [chain[0]!, chain[1]!], read: [chain[39]!] };
    const { bytes, offsets } = placeRegions(stages, ends, new Set());
    expect(offsets.size).toBe(40);
    const life = (i: number) => [i < 2 ? -1 : i - 2, i === 39 ? 38 : Math.min(i, 37)] as const;
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < i; j++) {
        const [[a, b], [c, d]] = [life(i), life(j)];
        const together = a <= d && c <= b;
        const [x, y] = [offsets.get(chain[i]!)!, offsets.get(chain[j]!)!];
        const overlap = x < y + chain[j]!.bytes && y < x + chain[i]!.bytes;
        expect(together && overlap, `${j} and ${i}`).toBe(false);
      }
    }
    const all = chain.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(bytes).toBeLessThan(all / 5);
  });

  it('is not given to what has its own, and keeps inputs and outputs apart from all between', () => {
    const [input, weight, hidden, output] = [region(64), region(640), region(128), region(64)];
    const own: Region = { bytes: 256, address: ~0 };
    const stages = [stage(hidden, weight), stage(hidden, own), stage(input, hidden), stage(output, input)];
    const { bytes, offsets } = placeRegions(stages, { filled: [input], read: [output] }, new Set([weight]));
    expect([...offsets.keys()].sort((a, b) => b.bytes - a.bytes)[0]).toBe(hidden);
    expect(offsets.size).toBe(3);
    expect(offsets.get(input)).not.toBe(offsets.get(hidden));
    expect(bytes).toBe(192);
  });
});
