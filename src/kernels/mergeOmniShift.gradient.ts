import shader from '../../shaders/mergeOmniShiftGradient.wgsl?raw';
import type { Dispatch } from './kernel.ts';
import { specialise } from './kernel.ts';
import type { Branches } from './mergeOmniShift.ts';

/**
 * The gradient of merging, for g = ∂L/∂kernel [5, 5, channels]. The kernel is Σ_b alpha_b · padded branch_b, bilinear,
 * with the identity (1 at the centre) as branch 0. So ∂L/∂alpha_b = Σ g ⊙ padded branch_b, and ∂L/∂branch_b is
 * alpha_b · g where the branch reaches.
 */
export function mergeOmniShiftGradient<B>(
  { branches, g, channels, gradients }: { branches: Branches<B>; g: B; channels: number; gradients: Branches<B> },
): Dispatch<B>[] {
  const code = specialise(shader, {});
  const label = `mergeOmniShift ${channels}`;
  const slope = { binding: 1, buffer: g, access: 'read' } as const;
  return [
    {
      label: `${label} gradient of branches`, code, entryPoint: 'branches', params: [channels],
      bindings: [
        slope,
        { binding: 2, buffer: branches.alpha, access: 'read' },
        { binding: 7, buffer: gradients.conv1x1, access: 'write' },
        { binding: 8, buffer: gradients.conv3x3, access: 'write' },
        { binding: 9, buffer: gradients.conv5x5, access: 'write' },
      ],
      workgroups: [Math.ceil((25 * channels) / 64), 1, 1],
    },
    {
      label: `${label} gradient of alphas`, code, entryPoint: 'alphas', params: [channels],
      bindings: [
        slope,
        { binding: 3, buffer: branches.conv1x1, access: 'read' },
        { binding: 4, buffer: branches.conv3x3, access: 'read' },
        { binding: 5, buffer: branches.conv5x5, access: 'read' },
        { binding: 6, buffer: gradients.alpha, access: 'write' },
      ],
      workgroups: [1, 1, 1],
    },
  ];
}
