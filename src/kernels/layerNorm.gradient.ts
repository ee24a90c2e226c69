import shader from '../../shaders/layerNormGradient.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise } from './kernel.ts';
import type { Variants } from './variants.ts';

type Variant = Variants['layerNormGradient'];

/** vec4s of a token that a thread keeps in registers, if there are threads enough in a workgroup. */
const VECTORS = 3;

/** More would not fit in the 16 KiB of workgroup memory that every device grants. */
const MOST_CHANNELS = 1536;

/** How tokens are dealt to threads and workgroups. */
function tiling(tokens: number, channels: number, variant: Variant) {
  const vectors = channels / 4;
  if (!Number.isInteger(vectors) || channels > MOST_CHANNELS) {
    throw new ShapeError(
      `layerNorm gradient: x has ${channels} channels, expected a multiple of 4 up to ${MOST_CHANNELS}`,
    );
  }
  const { threads } = variant;
  let { lanes } = variant;
  while (lanes < threads && lanes * VECTORS < vectors) lanes *= 2;
  const together = threads / lanes;
  const run = Math.ceil(tokens / variant.runs / together) * together;
  return { vectors, lanes, threads, run, runs: Math.ceil(tokens / run) };
}

/** Floats of `partials` for x of so many tokens (pixels of all images) and channels. */
export function layerNormGradientScratch(shape: { tokens: number; channels: number }, variant: Variant): number {
  return tiling(shape.tokens, shape.channels, variant).runs * 2 * shape.channels;
}

/**
 * Gradients of layer norm over channels (eps 1e-5) for g = ∂L/∂y. With n = (x − mean)·s, s = 1/√(variance + ε),
 * y = weight ⊙ n + bias and a = g ⊙ weight = ∂L/∂n: since ∂mean/∂x_j = 1/C and ∂s/∂x_j = −s² n_j/C,
 * ∂n_i/∂x_j = s(δ_ij − 1/C − n_i n_j/C), hence
 *
 *   ∂L/∂x = s(a − avg(a) − n·avg(a ⊙ n)),  ∂L/∂weight = Σ g ⊙ n,  ∂L/∂bias = Σ g
 *
 * with averages over channels and sums over tokens. Channels are a multiple of 4, without padding.
 *
 * @param args x, g, gX [N, H, W, C]; weight, gWeight, gBias [C]; partials as large as `layerNormGradientScratch` says
 * @throws ShapeError where g or gX differ from x, or for channels that are no multiple of 4
 */
export function layerNormGradient<B>(
  args: { x: View<B>; weight: B; g: View<B>; gX: View<B>; gWeight: B; gBias: B; partials: B }, variant: Variant,
): Dispatch<B>[] {
  const { x, weight, g, gX, gWeight, gBias, partials } = args;
  const tokens = pixelsOf(x);
  for (const other of [g, gX]) {
    if (pixelsOf(other) !== tokens || other.channels !== x.channels) {
      const [found, expected] = [other, x].map((view) => `${pixelsOf(view)} pixels of ${view.channels} channels`);
      throw new ShapeError(`layerNorm gradient: ${found} meet ${expected} of x; they must be the same`);
    }
  }
  const { vectors, lanes, threads, run, runs } = tiling(tokens, x.channels, variant);
  const code = specialise(shader, { THREADS: threads, LANES: lanes, VECTORS: Math.ceil(vectors / lanes) });
  const params = [tokens, vectors, runs, run, ...place(x, 4), ...place(g, 4), ...place(gX, 4)];
  return [
    {
      label: `layerNorm gradient ${x.channels}`, code, entryPoint: 'gradient', params,
      bindings: [
        { binding: 1, buffer: x.buffer, access: 'read' },
        { binding: 2, buffer: weight, access: 'read' },
        { binding: 3, buffer: g.buffer, access: 'read' },
        { binding: 4, buffer: gX.buffer, access: 'write' },
        { binding: 5, buffer: partials, access: 'write' },
      ],
      workgroups: [runs, 1, 1],
    },
    {
      label: `layerNorm gradient ${x.channels}, sums`, code, entryPoint: 'sumRuns', params,
      bindings: [
        { binding: 5, buffer: partials, access: 'write' },
        { binding: 6, buffer: gWeight, access: 'write' },
        { binding: 7, buffer: gBias, access: 'write' },
      ],
      workgroups: [2 * vectors, 1, 1],
    },
  ];
}
