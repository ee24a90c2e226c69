import { describe, expect, it } from 'vitest';
import { hashedUniform } from '../weights/seededHash.ts';
import { inTiles, tilesOf } from './tiles.ts';

const within = (pixels: number) => (height: number, width: number) => height * width <= pixels;
const noise = (size: number) => Float32Array.from({ length: size }, (_, i) => hashedUniform(7, i));

describe('tiles', () => {
  it('are one where the whole image fits', () => {
    expect(tilesOf(64, 2048, within(64 * 2048))).toEqual([{ top: 0, left: 0, height: 64, width: 2048 }]);
  });

  it.each([[2048, 2048, 600_000], [512, 4096, 300_000], [776, 1000, 100_000], [264, 264, 40_000]])(
    'cover %i × %i in pieces that fit, of multiples of 8, with an overlap', (height, width, pixels) => {
      const tiles = tilesOf(height, width, within(pixels))!;
      const covered = new Uint8Array(height * width);
      for (const { top, left, height: h, width: w } of tiles) {
        expect(h * w).toBeLessThanOrEqual(pixels);
        expect([h % 8, w % 8]).toEqual([0, 0]);
        expect(top + h).toBeLessThanOrEqual(height);
        expect(left + w).toBeLessThanOrEqual(width);
        for (let y = top; y < top + h; y++) covered.fill(1, y * width + left, y * width + left + w);
      }
      expect(covered.every((value) => value === 1)).toBe(true);
      const lefts = [...new Set(tiles.map(({ left }) => left))].sort((a, b) => a - b);
      lefts.slice(1).forEach((left, i) => expect(lefts[i]! + tiles[0]!.width - left).toBeGreaterThanOrEqual(56));
    });

  it('are none where nothing fits', () => {
    expect(tilesOf(512, 512, () => false)).toBeNull();
  });
});

describe('an image in tiles', () => {
  it('is itself where the tiles are left as they are', async () => {
    const image = noise(264 * 400);
    const tiles = tilesOf(264, 400, within(40_000))!;
    expect(tiles.length).toBeGreaterThan(2);
    const result = await inTiles(image, 264, 400, tiles, async (tile) => tile);
    // Weights are summed and divided by in float32.
    for (const [i, value] of result.entries()) expect(Math.abs(value - image[i]!)).toBeLessThan(1e-6);
  });

  it('goes over smoothly from one tile to the next', async () => {
    const tiles = tilesOf(64, 320, (_, width) => width <= 200)!;
    expect(tiles.map(({ left }) => left)).toEqual([0, 128]);
    let number = 0;
    const result = await inTiles(new Float32Array(64 * 320), 64, 320, tiles, async (tile) => tile.fill(number++));
    const row = [...result.subarray(32 * 320, 33 * 320)];
    expect([row[0], row[127], row[192], row[319]]).toEqual([0, 0, 1, 1]);
    for (const [i, value] of row.entries()) if (i > 0) expect(Math.abs(value - row[i - 1]!)).toBeLessThan(0.02);
  });
});
