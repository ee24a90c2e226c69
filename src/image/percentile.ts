/**
 * Percentile q (0 to 100) of the finite values that `keep` accepts, interpolated linearly between order statistics at
 * rank q/100 · (count − 1), as numpy's default does. null where no value is kept.
 *
 * Order statistics are exact and need no sort: float32 bit patterns are mapped to integers of the same order and
 * counted by their upper, then their lower 16 bits. Time O(n), memory 512 KiB at any size.
 */
export function percentile(
  data: Float32Array,
  q: number,
  keep: (value: number) => boolean = () => true,
): number | null {
  if (!(q >= 0 && q <= 100)) throw new RangeError(`percentile: ${q} is outside 0 to 100`);
  const upper = new Uint32Array(65536);
  let count = 0;
  visit(data, keep, (key) => {
    upper[key >>> 16]!++;
    count++;
  });
  if (count === 0) return null;
  const rank = (q / 100) * (count - 1);
  const low = Math.floor(rank);
  const below = orderStatistic(data, keep, upper, low);
  if (low === rank) return below;
  const above = orderStatistic(data, keep, upper, low + 1);
  return below + (above - below) * (rank - low);
}

/** The value of the given rank (0 the smallest), where `upper` counts the keys by their upper half. */
function orderStatistic(
  data: Float32Array,
  keep: (value: number) => boolean,
  upper: Uint32Array,
  rank: number,
): number {
  const [high, before] = locate(upper, rank);
  const lower = new Uint32Array(65536);
  visit(data, keep, (key) => {
    if (key >>> 16 === high) lower[key & 0xffff]!++;
  });
  const [low] = locate(lower, rank - before);
  return valueOf(((high << 16) | low) >>> 0);
}

/** The bin that holds the rank, and how many values lie in the bins before it. */
function locate(histogram: Uint32Array, rank: number): [bin: number, before: number] {
  let before = 0;
  let bin = 0;
  while (before + histogram[bin]! <= rank) before += histogram[bin++]!;
  return [bin, before];
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Calls `see` with an unsigned integer per kept finite value; the integers are ordered as the values are. */
function visit(data: Float32Array, keep: (value: number) => boolean, see: (key: number) => void): void {
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!Number.isFinite(value) || !keep(value)) continue;
    float[0] = value;
    const b = bits[0]!;
    see((b & 0x80000000 ? ~b : b | 0x80000000) >>> 0);
  }
}

function valueOf(key: number): number {
  bits[0] = key & 0x80000000 ? key & 0x7fffffff : ~key;
  return float[0]!;
}
