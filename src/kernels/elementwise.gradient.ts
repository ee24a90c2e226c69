import shader from '../../shaders/elementwiseGradient.wgsl?raw';
import type { Dispatch } from './kernel.ts';
import { specialise } from './kernel.ts';
import { sumPartials } from './sumPartials.ts';
import type { Variants } from './variants.ts';

/** Workgroups of 64 threads, in rows of 65535. */
const groupsFor = (threads: number): [number, number, number] => {
  const groups = Math.ceil(threads / 64);
  return [Math.min(groups, 65535), Math.ceil(groups / 65535), 1];
};

/** The gradients of y = a ⊙ b: g ⊙ b and g ⊙ a, all of `size` floats, a multiple of 4. */
export function mulGradient<B>(
  { a, b, g, gA, gB, size }: { a: B; b: B; g: B; gA: B; gB: B; size: number },
): Dispatch<B> {
  return {
    label: 'mul gradient',
    code: specialise(shader, {}),
    entryPoint: 'product',
    params: [size / 4, 0, 0],
    bindings: [
      { binding: 1, buffer: g, access: 'read' },
      { binding: 2, buffer: a, access: 'read' },
      { binding: 3, buffer: b, access: 'read' },
      { binding: 4, buffer: gA, access: 'write' },
      { binding: 5, buffer: gB, access: 'write' },
    ],
    workgroups: groupsFor(size / 4),
  };
}

/**
 * The gradient of y = sigmoid(x), g ⊙ y ⊙ (1 − y), from its result; or that of relu(x)², 2 g ⊙ relu(x), from x.
 *
 * @param of y of the sigmoid, x of the squared relu; as g and gX of `size` floats, a multiple of 4
 */
export function activationGradient<B>(
  operation: 'sigmoid' | 'squaredRelu', { of, g, gX, size }: { of: B; g: B; gX: B; size: number },
): Dispatch<B> {
  return {
    label: `${operation} gradient`,
    code: specialise(shader, { SIGMOID: operation === 'sigmoid' }),
    entryPoint: 'activation',
    params: [size / 4, 0, 0],
    bindings: [
      { binding: 1, buffer: g, access: 'read' },
      { binding: 2, buffer: of, access: 'read' },
      { binding: 4, buffer: gX, access: 'write' },
    ],
    workgroups: groupsFor(size / 4),
  };
}

const stripsOf = (tokens: number, variant: Variants['scaleGradient']) => Math.ceil(tokens / variant.tokens);

/** Floats of scratch for a sum over tokens of `channels` each. */
export const scaleGradientScratch = (tokens: number, channels: number, variant: Variants['scaleGradient']): number =>
  stripsOf(tokens, variant) * channels;

/** The gradients of y = x ⊙ scale [channels]: g ⊙ scale, and Σ g ⊙ x over tokens. x [tokens, channels], a multiple of 4 */
export function scaleGradient<B>(
  { x, scale, g, gX, gScale, partials, tokens, channels }:
  { x: B; scale: B; g: B; gX: B; gScale: B; partials: B; tokens: number; channels: number },
  variant: Variants['scaleGradient'],
): Dispatch<B>[] {
  const strips = stripsOf(tokens, variant);
  return [
    {
      label: `scale ${channels} gradient`,
      code: specialise(shader, { TOKENS: variant.tokens }),
      entryPoint: 'scale',
      params: [(tokens * channels) / 4, channels / 4, strips],
      bindings: [
        { binding: 1, buffer: g, access: 'read' },
        { binding: 2, buffer: x, access: 'read' },
        { binding: 3, buffer: scale, access: 'read' },
        { binding: 4, buffer: gX, access: 'write' },
        { binding: 6, buffer: partials, access: 'write' },
      ],
      workgroups: groupsFor((strips * channels) / 4),
    },
    sumPartials({ partials, count: strips, length: channels, sums: gScale }),
  ];
}
