import { lanesFor } from '../../kernels/kernel.ts';
import type { NodeOf } from '../../engine/graph.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import { biWkv } from '../tfjsWasmBiWkv.ts';
import * as I from './assembly/instructions.ts';
import { paddedVector } from './panels.ts';
import type { Region } from './regions.ts';
import type { Writer } from './writer.ts';

interface Images {
  readonly key: Region;
  readonly value: Region;
  readonly y: Region;
}

type Parameters = (path: string) => StoredTensor;

/**
 * Bounds of |decay| and |bonus|/T within which float32 holds plain sums: E = e^{k − max k} ends at e^−80, position and
 * bonus add a factor of e^{±24} each. What the largest key adds to a sum is at least e^−24 of it and so outweighs, by
 * e^32 and more, whatever was cut off.
 */
const PLAIN_RANGE = 24;

export function isPlain({ decay, bonus, shape: [, h, w] }: NodeOf<'biWkv'>, parameter: Parameters): boolean {
  const within = (data: ArrayLike<number>, bound: number) => Array.from(data).every((value) => Math.abs(value) <= bound);
  return within(parameter(decay.path).data, PLAIN_RANGE) && within(parameter(bonus.path).data, PLAIN_RANGE * h * w);
}

/** Bytes of a block of columns that are brought together: they share a second-level cache with what is made of them. */
const BLOCK_BYTES = 98304;

/**
 * Sums of chunks, carried over, then the results.
 *
 * @param largest each channel's largest key, null where an earlier scan replaced keys by their exponentials
 */
export function plainScan(
  node: NodeOf<'biWkv'>, { key, value, y }: Images, largest: Region | null, parameter: Parameters, writer: Writer,
): void {
  const [, height, width, channels] = node.shape;
  const [tokens, bytes] = [height * width, 4 * lanesFor(channels)];
  const rows = node.scan === 'rows';
  // About as many chunks as tokens in one.
  const length = rows ? Math.ceil(Math.sqrt(tokens) / 4) * 4 : height;
  const chunks = Math.ceil(tokens / length);
  const decay = Array.from(parameter(node.decay.path).data);
  const rate = (count: number) => writer.table(paddedVector(decay.map((w) => Math.expm1((-w * count) / tokens))));
  const [step, leap] = [rate(1), rate(length)];
  const own = writer.table(paddedVector(Array.from(parameter(node.bonus.path).data, (u) => Math.exp(u / tokens))));
  const sums = writer.region((chunks * I.SUMS * bytes) / 4);

  const band = rows
    ? Math.ceil(chunks / 32)
    : Math.max(1, Math.min(Math.floor(BLOCK_BYTES / (length * bytes)), Math.ceil(chunks / 16)));
  writer.own(rows ? 32 * length : 2 * band * length * bytes + 32 * length);
  const grid = rows ? [tokens, length] : [height, width];
  writer.stage({
    band, total: chunks,
    code: [[rows ? I.TOTALS : I.COLUMN_TOTALS, key, value, ...grid, bytes, sums, step, largest ?? 0]],
    finally: [[I.CARRY, sums, chunks, bytes, leap]],
  });
  writer.stage({
    band, total: chunks,
    code: [[rows ? I.SCAN : I.COLUMN_SCAN, key, value, ...grid, bytes, sums, step, y, own]],
  });
}

/** Any finite keys, decays and bonuses, in float64. */
export function generalScan(
  node: NodeOf<'biWkv'>, { key, value, y }: Images, parameter: Parameters, writer: Writer,
): void {
  const { shape: image, scan } = node;
  const [, height, width, channels] = image;
  const tokens = height * width;
  const inputs = () => ({
    decay: Float32Array.from(parameter(node.decay.path).data), bonus: Float32Array.from(parameter(node.bonus.path).data),
  });
  const index = writer.call((floats) => {
    const compact = (region: Region) => {
      const data = new Float32Array(tokens * channels);
      const from = floats(region);
      for (let at = 0; at < data.length; at++) data[at] = from[Math.floor(at / channels) * lanesFor(channels) + (at % channels)]!;
      return data;
    };
    const result = new Float32Array(tokens * channels);
    biWkv({ key: compact(key), value: compact(value), ...inputs() }, { image, scan }, result);
    const to = floats(y);
    to.fill(0);
    for (let at = 0; at < result.length; at++) to[Math.floor(at / channels) * lanesFor(channels) + (at % channels)] = result[at]!;
  });
  // The machine reads the index only; the images are named for what shares memory with what.
  writer.stage({ band: 1, total: 1, code: [[I.CALL, index, key, value, y]], calledOnly: true });
}
