/** Tile shapes of the kernels. Results do not depend on them, only speed does. */
export interface Variants {
  readonly linear: { readonly entryPoint: 'throughRegisters' | 'throughWorkgroup'; readonly tokens: number; readonly outputs: number };
  readonly layerNorm: { readonly lanes: number };
  readonly omniShift: { readonly pixels: number };
  readonly conv: { readonly pixels: number; readonly outputs: number };
  readonly biWkv: { readonly lane: 'f32' | 'vec4f'; readonly chunk: number; readonly segments: number };
}

/** Software devices (lavapipe, SwiftShader): few threads, each with much to do; workgroup memory only costs. */
export const SOFTWARE_VARIANTS: Variants = {
  linear: { entryPoint: 'throughRegisters', tokens: 4, outputs: 2 },
  layerNorm: { lanes: 1 },
  omniShift: { pixels: 8 },
  conv: { pixels: 4, outputs: 1 },
  biWkv: { lane: 'vec4f', chunk: 32, segments: 16 },
};

/** GPUs: many threads, coalesced over channels, tiles shared through workgroup memory. */
export const GPU_VARIANTS: Variants = {
  linear: { entryPoint: 'throughWorkgroup', tokens: 8, outputs: 1 },
  layerNorm: { lanes: 4 },
  omniShift: { pixels: 4 },
  conv: { pixels: 4, outputs: 1 },
  biWkv: { lane: 'f32', chunk: 16, segments: 16 },
};
