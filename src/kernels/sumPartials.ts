import shader from '../../shaders/sumPartials.wgsl?raw';
import type { Dispatch } from './kernel.ts';
import { specialise } from './kernel.ts';

/** Few entries of many partials have many threads each; many entries have threads enough with one each. */
function rowsFor(count: number, length: number): 1 | 16 | 64 {
  if (count >= 64 && length <= 4096) return 64;
  return count >= 16 && length <= 65536 ? 16 : 1;
}

/**
 * sums_j = scale · Σ_i partials_ij, in float32: puts together what workgroups have each summed over their tokens, in
 * the same order at every run.
 *
 * @param args.partials [count, length], tight, from `offset` floats on (0 if not given)
 * @param args.sums [length]
 * @param args.scale what sums are multiplied by, 1 if not given
 */
export function sumPartials<B>(args: {
  partials: B; offset?: number; count: number; length: number; sums: B; scale?: number;
}): Dispatch<B> {
  const { partials, offset = 0, count, length, sums, scale = 1 } = args;
  const rows = rowsFor(count, length);
  const groups = Math.ceil(length / (256 / rows));
  return {
    label: `sumPartials ${count}×${length}`,
    code: specialise(shader, { ROWS: rows }),
    entryPoint: 'sumPartials',
    params: [count, length, offset, bitsOf(scale)],
    bindings: [
      { binding: 1, buffer: partials, access: 'read' },
      { binding: 2, buffer: sums, access: 'write' },
    ],
    workgroups: [Math.min(groups, 65535), Math.ceil(groups / 65535), 1],
  };
}

/** A float32 as the u32 that a uniform's field of type f32 is written as. */
const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0]!;
