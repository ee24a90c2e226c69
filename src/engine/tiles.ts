import { EDGE_MULTIPLE } from '../model/config.ts';

/** A part of an image, in pixels. */
export interface Tile {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** What neighbouring tiles share, in pixels: what blends one into the other. */
const OVERLAP = 64;
/** Tiles are not cut smaller than this along an edge; the network would see too little. */
const LEAST = 128;

/**
 * Tiles of one size that cover an image and overlap, as few and as square as what fits allows; one where the whole image
 * fits, null where not even the smallest do.
 *
 * @param height of the image, as `width` a multiple of 8
 * @param fits whether an image of that size, multiples of 8, can be computed at once
 */
export function tilesOf(
  height: number, width: number, fits: (height: number, width: number) => boolean,
): readonly Tile[] | null {
  let [rows, columns] = [1, 1];
  for (;;) {
    const tile = { height: edge(height, rows), width: edge(width, columns) };
    if (fits(tile.height, tile.width)) return grid(height, width, rows, columns, tile);
    // The longer edge is cut once more.
    const cutRows = tile.height >= tile.width;
    if ((cutRows ? tile.height : tile.width) <= LEAST) return null;
    if (cutRows) rows++;
    else columns++;
  }
}

/** The edge of `count` tiles that cover `size` with their overlaps. */
const edge = (size: number, count: number): number =>
  count === 1 ? size : Math.ceil((size + (count - 1) * OVERLAP) / count / EDGE_MULTIPLE) * EDGE_MULTIPLE;

function grid(height: number, width: number, rows: number, columns: number, tile: Pick<Tile, 'height' | 'width'>): Tile[] {
  const starts = (size: number, count: number, length: number) =>
    Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * (size - length)) / (count - 1))));
  return starts(height, rows, tile.height).flatMap((top) =>
    starts(width, columns, tile.width).map((left) => ({ top, left, ...tile })));
}

/**
 * Computes an image tile by tile. Where tiles overlap their results are mixed, each the less the nearer its own edge is,
 * so that no seam shows.
 *
 * @param image [height · width]
 * @param run computes a tile [height · width]
 */
export async function inTiles(
  image: Float32Array, height: number, width: number, tiles: readonly Tile[],
  run: (image: Float32Array, height: number, width: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const sum = new Float32Array(height * width);
  const weights = new Float32Array(height * width);
  for (const tile of tiles) {
    const result = await run(cut(image, width, tile), tile.height, tile.width);
    const down = ramp(tile.top, tile.height, height);
    const across = ramp(tile.left, tile.width, width);
    for (let y = 0; y < tile.height; y++) {
      const at = (tile.top + y) * width + tile.left;
      for (let x = 0; x < tile.width; x++) {
        const weight = down[y]! * across[x]!;
        sum[at + x] = sum[at + x]! + weight * result[y * tile.width + x]!;
        weights[at + x] = weights[at + x]! + weight;
      }
    }
  }
  return sum.map((value, i) => value / weights[i]!);
}

function cut(image: Float32Array, width: number, tile: Tile): Float32Array {
  const part = new Float32Array(tile.height * tile.width);
  for (let y = 0; y < tile.height; y++) {
    const from = (tile.top + y) * width + tile.left;
    part.set(image.subarray(from, from + tile.width), y * tile.width);
  }
  return part;
}

/** Weights along an edge: rising over the overlap from edges that have a neighbour, 1 elsewhere. */
function ramp(start: number, length: number, size: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const before = start === 0 ? 1 : (i + 0.5) / OVERLAP;
    const after = start + length === size ? 1 : (length - i - 0.5) / OVERLAP;
    return Math.min(1, before, after);
  });
}
