import shader from '../../shaders/biWkvGradient.wgsl?raw';
import type { Scan } from '../model/ops.ts';
import { chunking } from './biWkv.ts';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise } from './kernel.ts';
import { sumPartials } from './sumPartials.ts';
import type { Variants } from './variants.ts';

export interface BiWkvGradientArguments<B> {
  /** What the forward was given, [N, H, W, C]; lanes a multiple of 4 where a thread has a vec4f of them. */
  readonly key: View<B>;
  readonly value: View<B>;
  /** w and u before the division by T, [lanes] */
  readonly decay: B;
  readonly bonus: B;
  /** What the forward gave, without gate, and ∂L/∂y. */
  readonly y: View<B>;
  readonly g: View<B>;
  /** ∂L/∂key and ∂L/∂value; both hold interim results before, so no other argument may share their memory. */
  readonly gKey: View<B>;
  readonly gValue: View<B>;
  /** ∂L/∂decay and ∂L/∂bonus, [lanes] */
  readonly gDecay: B;
  readonly gBonus: B;
  readonly scan: Scan;
  readonly scratch: BiWkvGradientScratch<B>;
  /** max |decay| over channels or a bound of it; bounds how many tokens a chunk may have. */
  readonly largestDecay: number;
}

/** What each chunk adds to the sums on both sides of it, then what arrives at it: [2, 5, N, chunks, lanes]. */
export interface BiWkvGradientScratch<B> {
  readonly sums: B;
}

/** Floats of the scratch: for each chunk and lane, two directions of four sums and their scale. */
export function biWkvGradientScratch(
  shape: { batch: number; height: number; width: number; lanes: number },
  largestDecay: number,
  variant: Variants['biWkv'],
): BiWkvGradientScratch<number> {
  const { chunks } = chunking(shape.height * shape.width, largestDecay, variant);
  return { sums: 10 * shape.batch * chunks * shape.lanes };
}

/**
 * Gradients of Bi-WKV (eq. 8) in all four inputs, parallel over chunks of tokens. Per channel, with w = decay/T,
 * u = bonus/T, l_t the log of the denominator, p_ti = e^{k_i − (|t−i|−1)w − l_t}, p_tt = e^{u + k_t − l_t}, we have
 * y_t = Σ_i p_ti v_i. As ∂y_t/∂v_i = p_ti, and a weight's change by the factor 1 + ε moves y_t by ε p_ti (v_i − y_t):
 *
 *   ∂L/∂v_i = Σ_t g_t p_ti
 *   ∂L/∂k_i = Σ_t g_t p_ti (v_i − y_t)              = v_i ∂L/∂v_i − Σ_t g_t y_t p_ti
 *   ∂L/∂u   = Σ_t g_t p_tt (v_t − y_t)
 *   ∂L/∂w   = −Σ_i Σ_{t≠i} (|t−i|−1) g_t p_ti (v_i − y_t)
 *
 * With d = |t−i|−1, all sums over t ≠ i are e^{k_i} times one of
 *
 *   A_i = Σ e^{−l_t − d·w} g_t    B_i = Σ e^{−l_t − d·w} g_t y_t    dA_i, dB_i the same with the further factor d
 *
 *   ∂L/∂v_i = e^{k_i} A_i + p_ii g_i                ∂L/∂w = −Σ_i e^{k_i} (v_i dA_i − dB_i)
 *   ∂L/∂k_i = v_i ∂L/∂v_i − e^{k_i} B_i − p_ii g_i y_i
 *
 * d is symmetric, so these are the forward's sums from both ends, with −l for the keys and g and g·y for the values.
 * From a token to the next d grows by one for every term, and the token passed joins with d = 0; where a run of tokens
 * `far` is followed by a run of n tokens, far's terms fade n times and their d grows by n:
 *
 *   A ← e^{−w} A + e^{−l_t} g_t     dA ← e^{−w} (dA + A)          and      A ← e^{−nw} A + A_near
 *                                                                          dA ← e^{−nw} (dA + n A) + dA_near
 *
 * which makes them associative, hence chunks. Nothing of the forward but y is kept: l comes from key, decay and bonus
 * by the same scan. Decay and bonus are shared by the batch and enter divided by T, so chunks' shares of ∂L/∂w and
 * ∂L/∂u are added up and divided by T.
 */
export function biWkvGradient<B>(args: BiWkvGradientArguments<B>, variant: Variants['biWkv']): Dispatch<B>[] {
  const { key, value, decay, bonus, y, g, gKey, gValue, gDecay, gBonus, scan, scratch, largestDecay } = args;
  const unit = variant.lane === 'f32' ? 1 : 4;
  const channels = y.lanes / unit;
  const tokens = y.height * y.width;
  const { chunk, chunks } = chunking(tokens, largestDecay, variant);
  const tiles = { Lane: variant.lane, CHUNK: variant.chunk, SEGMENTS: variant.segments };
  const code = specialise(shader, tiles);
  const gradientCode = specialise(shader, { ...tiles, GRADIENTS: true });
  const params = [
    y.batch, y.height, y.width, channels, Number(scan === 'columns'), chunk, chunks,
    ...[key, value, y, g, gKey, gValue].flatMap((view) => place(view, unit)),
  ];
  const bind = {
    decay: { binding: 1, buffer: decay, access: 'read' },
    bonus: { binding: 2, buffer: bonus, access: 'read' },
    key: { binding: 3, buffer: key.buffer, access: 'read' },
    value: { binding: 4, buffer: value.buffer, access: 'read' },
    y: { binding: 5, buffer: y.buffer, access: 'read' },
    g: { binding: 6, buffer: g.buffer, access: 'read' },
    gKey: { binding: 7, buffer: gKey.buffer, access: 'write' },
    gValue: { binding: 8, buffer: gValue.buffer, access: 'write' },
    sums: { binding: 9, buffer: scratch.sums, access: 'write' },
  } as const;
  const label = `biWkvGradient ${scan} ${y.channels}`;
  const threads = [Math.ceil((chunks * channels) / 64), y.batch, 1] as const;
  const scanning = {
    entryPoint: 'scanChunks', params, bindings: [bind.decay, bind.sums],
    workgroups: [Math.ceil(channels / (64 / variant.segments)), 2, y.batch],
  } as const;
  const shares = { partials: scratch.sums, count: y.batch * chunks, length: y.lanes, scale: 1 / tokens };
  return [
    {
      label: `${label} denominatorStates`, code, entryPoint: 'denominatorStates', params,
      bindings: [bind.decay, bind.key, bind.sums],
      workgroups: threads,
    },
    { label: `${label} scanChunks, denominators`, code, ...scanning },
    {
      label: `${label} gradientStates`, code, entryPoint: 'gradientStates', params,
      bindings: [bind.decay, bind.bonus, bind.key, bind.y, bind.g, bind.gKey, bind.gValue, bind.sums],
      workgroups: threads,
    },
    { label: `${label} scanChunks, gradients`, code: gradientCode, ...scanning },
    {
      label: `${label} gradients`, code, entryPoint: 'gradients', params,
      bindings: [bind.decay, bind.bonus, bind.key, bind.value, bind.g, bind.gKey, bind.gValue, bind.sums],
      workgroups: threads,
    },
    sumPartials({ ...shares, sums: gDecay }),
    sumPartials({ ...shares, offset: shares.count * shares.length, sums: gBonus }),
  ];
}
