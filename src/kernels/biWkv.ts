import shader from '../../shaders/biWkv.wgsl?raw';
import type { Scan } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise, storedScalar, storedVec4 } from './kernel.ts';
import type { Variants } from './variants.ts';

export interface BiWkvArguments<B> {
  readonly key: View<B>;
  readonly value: View<B>;
  /** w and u before the division by T, [lanes] */
  readonly decay: B;
  readonly bonus: B;
  /** Multiplies the result by sigmoid(gate), as eq. 4 does with the receptance. */
  readonly gate?: View<B> | undefined;
  readonly y: View<B>;
  readonly scan: Scan;
  /** Scratch of the sizes that `biWkvScratch` gives. */
  readonly states: B;
  readonly carries: B;
  /** max |decay| over channels; bounds how many tokens a chunk may have. */
  readonly largestDecay: number;
}

/** Within a chunk the position term must stay within e^±20, so that float32 sums lose nothing. */
const CHUNK_EXPONENT = 20;

/** Threads whose runs fit the workgroup memory that WebGPU promises, 16 KiB. */
const MOST_THREADS = { f32: 256, vec4f: 128 } as const;

/** How many tokens a chunk has, and how many chunks there are. */
export function chunking(tokens: number, largestDecay: number, variant: Variants['biWkv']) {
  const bounded = Math.floor((CHUNK_EXPONENT * tokens) / Math.max(largestDecay, 1e-30));
  const chunk = Math.max(1, Math.min(variant.chunk, tokens, bounded));
  return { chunk, chunks: Math.ceil(tokens / chunk) };
}

/** A chunk for each thread of a workgroup, so that all have something to do; null where chunks would be too long. */
function forOneWorkgroup(tokens: number, largestDecay: number, variant: Variants['biWkv']) {
  if (variant.whole === 0) return null;
  const each = Math.ceil(tokens / variant.whole);
  const { chunk } = chunking(tokens, largestDecay, variant);
  return each <= chunk ? { chunk: each, chunks: Math.ceil(tokens / each) } : null;
}

/** Floats of scratch for the states of all chunks, and for what arrives at each from both sides. */
export function biWkvScratch(
  shape: { batch: number; height: number; width: number; lanes: number }, largestDecay: number, variant: Variants['biWkv'],
): { states: number; carries: number } {
  const { chunks } = chunking(shape.height * shape.width, largestDecay, variant);
  const each = shape.batch * chunks * shape.lanes;
  return { states: 5 * each, carries: 6 * each };
}

/**
 * Bi-WKV (eq. 8) along rows or columns in three dispatches: chunk states, scan over chunks, outputs; in one where a
 * workgroup has a thread for every chunk.
 */
export function biWkv<B>(args: BiWkvArguments<B>, wanted: Variants['biWkv']): Dispatch<B>[] {
  const { key, value, decay, bonus, gate, y, scan, states, carries, largestDecay } = args;
  const lane = y.precision === 'packed' ? 'vec4f' : wanted.lane; // a word holds several channels
  const variant = { ...wanted, whole: Math.min(wanted.whole, MOST_THREADS[lane]) };
  const unit = lane === 'f32' ? 1 : 4;
  const channels = y.lanes / unit;
  const tokens = y.height * y.width;
  const { chunk, chunks } = forOneWorkgroup(tokens, largestDecay, variant) ?? chunking(tokens, largestDecay, variant);
  const { block, segments, whole } = variant;
  const tiles = {
    Lane: lane, Stored: lane === 'f32' ? storedScalar(y) : storedVec4(y), BLOCK: block,
    BLOCKS: Math.ceil(variant.chunk / block), SEGMENTS: segments, THREADS: Math.max(1, whole),
  };
  const code = specialise(shader, tiles);
  const gated = specialise(shader, { ...tiles, GATE: gate !== undefined });
  const params = [
    y.height, y.width, channels, Number(scan === 'columns'), chunk, chunks,
    ...place(key, unit), ...place(value, unit), ...place(gate ?? key, unit), ...place(y, unit),
  ];
  const bind = {
    decay: { binding: 1, buffer: decay, access: 'read' },
    bonus: { binding: 2, buffer: bonus, access: 'read' },
    key: { binding: 3, buffer: key.buffer, access: 'read' },
    value: { binding: 4, buffer: value.buffer, access: 'read' },
    gate: { binding: 5, buffer: (gate ?? key).buffer, access: 'read' },
    states: { binding: 6, buffer: states, access: 'write' },
    carries: { binding: 7, buffer: carries, access: 'write' },
    y: { binding: 8, buffer: y.buffer, access: 'write' },
  } as const;
  const label = `biWkv ${scan} ${y.channels}`;
  if (chunks <= whole) {
    return [{
      label: `${label} whole`, code: gated, entryPoint: 'wholeSequence', params,
      bindings: [bind.decay, bind.bonus, bind.key, bind.value, bind.gate, bind.y],
      workgroups: [channels, y.batch, 1],
    }];
  }
  const threads = Math.ceil((chunks * channels) / 64);
  return [
    {
      label: `${label} chunkStates`, code, entryPoint: 'chunkStates', params,
      bindings: [bind.decay, bind.key, bind.value, bind.states],
      workgroups: [threads, y.batch, 1],
    },
    {
      label: `${label} scanChunks`, code, entryPoint: 'scanChunks', params,
      bindings: [bind.decay, bind.states, bind.carries],
      workgroups: [Math.ceil(channels / (64 / segments)), 2, y.batch],
    },
    {
      label: `${label} outputs`, code: gated, entryPoint: 'outputs', params,
      bindings: [bind.decay, bind.bonus, bind.key, bind.value, bind.gate, bind.states, bind.carries, bind.y],
      workgroups: [threads, y.batch, 1],
    },
  ];
}
