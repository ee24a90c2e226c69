import shader from '../../shaders/layerNormGradient.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise } from './kernel.ts';
import type { Variants } from './variants.ts';

type Variant = Variants['layerNormGradient'];

/** How many threads of a channel vec4 each sum over tokens, and how many tokens each. */
function runsOf(tokens: number, channels: number, { sums }: Variant): { run: number; runs: number } {
  const run = Math.ceil(tokens / Math.ceil(sums / (channels / 4)));
  return { run, runs: Math.ceil(tokens / run) };
}

/** Floats of `partials` for x of so many tokens (pixels of all images) and channels. */
export function layerNormGradientScratch(shape: { tokens: number; channels: number }, variant: Variant): number {
  return 2 * shape.tokens + runsOf(shape.tokens, shape.channels, variant).runs * 2 * shape.channels;
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
  if (x.channels % 4 !== 0) {
    throw new ShapeError(`layerNorm gradient: x has ${x.channels} channels, expected a multiple of 4`);
  }
  for (const other of [g, gX]) {
    if (pixelsOf(other) !== tokens || other.channels !== x.channels) {
      const [found, expected] = [other, x].map((view) => `${pixelsOf(view)} pixels of ${view.channels} channels`);
      throw new ShapeError(`layerNorm gradient: ${found} meet ${expected} of x; they must be the same`);
    }
  }
  const vectors = x.channels / 4;
  const { run, runs } = runsOf(tokens, x.channels, variant);
  const { threads, lanes } = variant;
  const dispatch = (
    entryPoint: string, groups: number, bindings: Dispatch<B>['bindings'],
  ): Dispatch<B> => ({
    label: `layerNorm gradient ${x.channels}, ${entryPoint}`,
    code: specialise(shader, { THREADS: threads, LANES: lanes }),
    entryPoint,
    params: [tokens, vectors, run, runs, ...place(x, 4), ...place(g, 4), ...place(gX, 4)],
    bindings,
    workgroups: [Math.min(groups, 65535), Math.ceil(groups / 65535), 1],
  });
  return [
    dispatch('inputGradient', Math.ceil(tokens / (threads / lanes)), [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: g.buffer, access: 'read' },
      { binding: 4, buffer: gX.buffer, access: 'write' },
      { binding: 5, buffer: partials, access: 'write' },
    ]),
    dispatch('channelSums', Math.ceil((runs * vectors) / threads), [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 3, buffer: g.buffer, access: 'read' },
      { binding: 5, buffer: partials, access: 'write' },
    ]),
    dispatch('sumRuns', 4 * vectors, [
      { binding: 5, buffer: partials, access: 'write' },
      { binding: 6, buffer: gWeight, access: 'write' },
      { binding: 7, buffer: gBias, access: 'write' },
    ]),
  ];
}
