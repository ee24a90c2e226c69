/** Tile shapes of the kernels. Results do not depend on them, only speed does. */
export interface Variants {
  readonly linear: { readonly entryPoint: 'throughRegisters' | 'throughWorkgroup'; readonly tokens: number; readonly outputs: number };
  /**
   * The gradient for x: `tokens` by `inputs` vec4s a thread. The gradient for W: its entry point's tile, summed over
   * tokens by at most about `groups` workgroups.
   */
  readonly linearGradient: {
    readonly entryPoint: 'throughRegisters' | 'throughWorkgroup';
    readonly tokens: number;
    readonly inputs: number;
    readonly groups: number;
  };
  readonly layerNorm: { readonly lanes: number };
  /** `threads` a workgroup, `lanes` of them a token; about `sums` threads sum over tokens, a vec4 of channels each. */
  readonly layerNormGradient: { readonly threads: number; readonly lanes: number; readonly sums: number };
  readonly omniShift: { readonly pixels: number };
  readonly omniShiftGradient: { readonly pixels: number; readonly rows: number };
  readonly scaleGradient: { readonly tokens: number };
  readonly conv: { readonly pixels: number; readonly outputs: number };
  /** y and the gradient for x: `pixels` by `vectors` a thread of `threads`; the gradient for W as in `linearGradient`. */
  readonly convGradient: {
    readonly entryPoint: 'throughRegisters' | 'throughWorkgroup';
    readonly threads: number;
    readonly pixels: number;
    readonly vectors: number;
    readonly groups: number;
  };
  readonly biWkv: { readonly lane: 'f32' | 'vec4f'; readonly chunk: number; readonly segments: number };
}

/** Software devices (lavapipe, SwiftShader): few threads, each with much to do; workgroup memory only costs. */
export const SOFTWARE_VARIANTS: Variants = {
  linear: { entryPoint: 'throughRegisters', tokens: 4, outputs: 2 },
  linearGradient: { entryPoint: 'throughRegisters', tokens: 6, inputs: 3, groups: 16 },
  layerNorm: { lanes: 1 },
  layerNormGradient: { threads: 8, lanes: 1, sums: 256 },
  omniShift: { pixels: 8 },
  omniShiftGradient: { pixels: 8, rows: 4 },
  scaleGradient: { tokens: 64 },
  conv: { pixels: 4, outputs: 1 },
  convGradient: { entryPoint: 'throughRegisters', threads: 8, pixels: 4, vectors: 2, groups: 16 },
  biWkv: { lane: 'vec4f', chunk: 32, segments: 16 },
};

/** GPUs: many threads, coalesced over channels, tiles shared through workgroup memory. */
export const GPU_VARIANTS: Variants = {
  linear: { entryPoint: 'throughWorkgroup', tokens: 8, outputs: 1 },
  linearGradient: { entryPoint: 'throughWorkgroup', tokens: 8, inputs: 1, groups: 512 },
  layerNorm: { lanes: 4 },
  layerNormGradient: { threads: 64, lanes: 4, sums: 16384 },
  omniShift: { pixels: 4 },
  omniShiftGradient: { pixels: 4, rows: 1 },
  scaleGradient: { tokens: 16 },
  conv: { pixels: 4, outputs: 1 },
  convGradient: { entryPoint: 'throughWorkgroup', threads: 64, pixels: 4, vectors: 1, groups: 512 },
  biWkv: { lane: 'f32', chunk: 16, segments: 16 },
};

/** Tile shapes for software devices or GPUs, by the adapter. */
export function variantsFor(device: GPUDevice): Variants {
  return isSoftware(device.adapterInfo) ? SOFTWARE_VARIANTS : GPU_VARIANTS;
}

/** Whether an adapter is a CPU that plays GPU, by what it says of itself. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bcpu\b/.test(words);
}
