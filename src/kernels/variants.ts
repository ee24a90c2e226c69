import type { Precision } from './kernel.ts';

/** Tile shapes of the kernels, on which results do not depend, only speed does; and how activations are stored. */
export interface Variants {
  /** Of activations: as float16, in either way, half the memory and traffic, results good to some 1e-3. */
  readonly precision: Precision;
  readonly linear: {
    readonly entryPoint: 'throughRegisters' | 'throughWorkgroup' | 'throughSubgroups';
    readonly tokens: number;
    /** vec4s; through subgroups at most so many, as suits the layer. */
    readonly outputs: number;
  };
  /** At most so many tokens a thread; null: key and value as linears, with the hidden channels in memory. */
  readonly channelMix: { readonly entryPoint: 'throughWorkgroup' | 'throughSubgroups'; readonly tokens: number } | null;
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
  /**
   * Layer norm and Omni-Shift: kernels of their own, one kernel that shares tiles through workgroup memory, or fused with
   * the projections or the channel mix that read them, as far as such a tile fits.
   */
  readonly shift: 'apart' | 'joined' | 'fused';
  /** Pixels of a tile; of more rows than one where subgroups of eight share the kernel. */
  readonly omniShift: { readonly pixels: number; readonly rows: number };
  readonly omniShiftGradient: { readonly pixels: number; readonly rows: number };
  readonly scaleGradient: { readonly tokens: number };
  /** An even number of pixels. With subgroups of eight the weights are shared among them where outputs are whole vec4s. */
  readonly conv: { readonly pixels: number; readonly outputs: number; readonly subgroups: boolean };
  /** y and the gradient for x: `pixels` by `vectors` a thread of `threads`; the gradient for W as in `linearGradient`. */
  readonly convGradient: {
    readonly entryPoint: 'throughRegisters' | 'throughWorkgroup';
    readonly threads: number;
    readonly pixels: number;
    readonly vectors: number;
    readonly groups: number;
  };
  /**
   * A thread takes a chunk of tokens, `block` of them at once. Up to `whole` chunks are scanned by one workgroup (0: none
   * are), more by `segments` threads a channel in a dispatch of their own.
   */
  readonly biWkv: {
    readonly lane: 'f32' | 'vec4f'; readonly chunk: number; readonly block: number; readonly segments: number;
    readonly whole: number;
  };
}

/**
 * Software devices (lavapipe, SwiftShader): few threads, each with much to do; workgroup memory only costs. Little code:
 * they compile slowly, a load or store in 10 to 90 ms.
 */
export const SOFTWARE_VARIANTS: Variants = {
  precision: 'f32',
  linear: { entryPoint: 'throughRegisters', tokens: 4, outputs: 2 },
  channelMix: null,
  linearGradient: { entryPoint: 'throughRegisters', tokens: 6, inputs: 3, groups: 16 },
  layerNorm: { lanes: 1 },
  layerNormGradient: { threads: 8, lanes: 1, sums: 256 },
  shift: 'apart',
  omniShift: { pixels: 8, rows: 1 },
  omniShiftGradient: { pixels: 8, rows: 4 },
  scaleGradient: { tokens: 64 },
  conv: { pixels: 4, outputs: 1, subgroups: false },
  convGradient: { entryPoint: 'throughRegisters', threads: 8, pixels: 4, vectors: 2, groups: 16 },
  biWkv: { lane: 'vec4f', chunk: 64, block: 1, segments: 16, whole: 0 },
};

/** Software devices with subgroups of eight, as lavapipe: loads cost most, so that they are shared. */
export const SUBGROUP_VARIANTS: Variants = {
  ...SOFTWARE_VARIANTS,
  linear: { entryPoint: 'throughSubgroups', tokens: 4, outputs: 10 },
  conv: { pixels: 8, outputs: 1, subgroups: true },
  omniShift: { pixels: 8, rows: 4 },
  channelMix: { entryPoint: 'throughSubgroups', tokens: 4 },
  biWkv: { ...SOFTWARE_VARIANTS.biWkv, whole: 64 },
};

/** GPUs: many threads, coalesced over channels, tiles shared through workgroup memory. */
export const GPU_VARIANTS: Variants = {
  precision: 'f32',
  linear: { entryPoint: 'throughWorkgroup', tokens: 8, outputs: 1 },
  channelMix: { entryPoint: 'throughWorkgroup', tokens: 8 },
  linearGradient: { entryPoint: 'throughWorkgroup', tokens: 8, inputs: 1, groups: 512 },
  layerNorm: { lanes: 4 },
  layerNormGradient: { threads: 64, lanes: 4, sums: 16384 },
  shift: 'fused',
  omniShift: { pixels: 4, rows: 1 },
  omniShiftGradient: { pixels: 4, rows: 1 },
  scaleGradient: { tokens: 16 },
  conv: { pixels: 4, outputs: 1, subgroups: false },
  convGradient: { entryPoint: 'throughWorkgroup', threads: 64, pixels: 4, vectors: 1, groups: 512 },
  biWkv: { lane: 'f32', chunk: 16, block: 4, segments: 16, whole: 256 },
};

/** Tile shapes for software devices or GPUs, by the adapter. */
export function variantsFor(device: GPUDevice): Variants {
  if (!isSoftware(device.adapterInfo)) return GPU_VARIANTS;
  return hasSubgroupsOfEight(device) ? SUBGROUP_VARIANTS : SOFTWARE_VARIANTS;
}

/** All that a device can run, by name: each of them is right on every device, and fast on some. */
export function variantSets(device: GPUDevice): [name: string, variants: Variants][] {
  const subgroups: [string, Variants][] = hasSubgroupsOfEight(device) ? [['subgroup', SUBGROUP_VARIANTS]] : [];
  return [['software', SOFTWARE_VARIANTS], ...subgroups, ['GPU', GPU_VARIANTS]];
}

const hasSubgroupsOfEight = ({ adapterInfo, features }: GPUDevice): boolean =>
  features.has('subgroups') && adapterInfo.subgroupMinSize === 8 && adapterInfo.subgroupMaxSize === 8;

/** Whether an adapter is a CPU that plays GPU, by what it says of itself. */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bcpu\b/.test(words);
}
