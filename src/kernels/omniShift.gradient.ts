import shader from '../../shaders/omniShiftGradient.wgsl?raw';
import type { Dispatch, View } from './kernel.ts';
import { place, specialise } from './kernel.ts';
import { omniShift } from './omniShift.ts';
import { sumPartials } from './sumPartials.ts';
import type { Variants } from './variants.ts';

export interface OmniShiftGradientArguments<B> {
  readonly x: View<B>;
  /** [5, 5, x.lanes] */
  readonly kernel: B;
  /** ∂L/∂y, the shape of x */
  readonly g: View<B>;
  readonly gX: View<B>;
  /** [5, 5, x.lanes] */
  readonly gKernel: B;
  /** Scratch of the size that `omniShiftGradientScratch` gives. */
  readonly partials: B;
}

type Size = Pick<View<unknown>, 'batch' | 'height' | 'lanes'>;

const stripsOf = ({ height }: Size, { rows }: Variants['omniShiftGradient']) => Math.ceil(height / rows);

/** Floats of scratch: a kernel for each strip of rows. */
export function omniShiftGradientScratch(x: Size, variant: Variants['omniShiftGradient']): number {
  return x.batch * stripsOf(x, variant) * 25 * x.lanes;
}

/**
 * The gradient of Omni-Shift merged to one depth-wise 5×5, y_q = Σ_tap x_{q + tap} ⊙ kernel_tap. A pixel p of x enters
 * y at q = p − tap, so with g = ∂L/∂y
 *
 *   ∂L/∂x_p        = Σ_tap g_{p − tap} ⊙ kernel_tap     the operator itself with its kernel turned by 180°
 *   ∂L/∂kernel_tap = Σ_q x_{q + tap} ⊙ g_q              by strips of rows, whose sums are added up
 */
export function omniShiftGradient<B>(
  { x, kernel, g, gX, gKernel, partials }: OmniShiftGradientArguments<B>,
  variants: Pick<Variants, 'omniShift' | 'omniShiftGradient'>,
): Dispatch<B>[] {
  const vectors = x.lanes / 4;
  const { pixels, rows } = variants.omniShiftGradient;
  const strips = stripsOf(x, variants.omniShiftGradient);
  return [
    omniShift({ x: g, kernel, y: gX, turned: true }, variants.omniShift),
    {
      label: `omniShift ${x.channels} kernel gradient`,
      code: specialise(shader, { PIXELS: pixels, ROWS: rows }),
      entryPoint: 'kernelPartials',
      params: [x.height, x.width, vectors, strips, ...place(x, 4), ...place(g, 4)],
      bindings: [
        { binding: 1, buffer: x.buffer, access: 'read' },
        { binding: 2, buffer: g.buffer, access: 'read' },
        { binding: 3, buffer: partials, access: 'write' },
      ],
      workgroups: [Math.ceil((strips * 5 * vectors) / 64), x.batch, 1],
    },
    sumPartials({ partials, count: x.batch * strips, length: 25 * x.lanes, sums: gKernel }),
  ];
}
