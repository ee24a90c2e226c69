import type { Program } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import type { CaseKind } from './vectors.ts';

export type Tensors = ReadonlyMap<string, StoredTensor>;

export type SubjectName = 'reference' | 'webgpu' | 'webgpu-f16' | 'webgpu-packed' | 'tfjs-webgpu' | 'tfjs-wasm' | 'wasm';

/** An interpreter of the network that the conformance vectors are held against. */
export interface Subject {
  readonly name: SubjectName;
  /** Kinds of cases that this subject is not asked for, the full network on a slow backend say. */
  readonly skip?: (kind: CaseKind, caseName: string) => boolean;
  /**
   * Runs a program. Activations are images [N, H, W, C]; weights have the layouts that `Ops` wants, and an interpreter
   * may upload them differently. The output is an image.
   */
  evaluate(program: Program, activations: Tensors, weights: Tensors): Promise<StoredTensor>;
  /**
   * Runs a program, and gives the gradients of a scalar L with respect to every activation and weight, by name.
   *
   * @param weights as for `evaluate`; where the program asks for a kernel `X` and there are the branches of an
   *   Omni-Shift instead, `X.alpha`, `X.conv1x1.weight`, `X.conv3x3.weight` and `X.conv5x5.weight` in the shapes of the
   *   state_dict, they are merged, and have the gradients
   * @param outputGradient ∂L/∂output, of the output's shape, from the output
   */
  gradients?(
    program: Program, activations: Tensors, weights: Tensors, outputGradient: (output: StoredTensor) => StoredTensor,
  ): Promise<{ output: StoredTensor; gradients: Tensors }>;
}

/**
 * How far a subject may be from the vectors, relative to the largest value of a tensor.
 *
 * The vectors are float64 results stored as float32, so they are 6e-8 off themselves. Float32 interpreters differ from
 * float64 by up to 8.5e-7 on whole networks in PyTorch; other orders of summation cost a small multiple of that. Bi-WKV
 * alone is allowed more: keys reach ±60, whose float32 rounding is 4e-6 in the exponent. Gradients sum over all tokens
 * terms of either sign, which cancel.
 */
export function tolerance(subject: SubjectName, kind: CaseKind, needs: Case['needs'] = 'forward'): number {
  if (subject === 'reference') return 1e-6;
  // Each activation stored is off by 5e-4 of itself; the results stay within 2e-3 of an image in [0, 1].
  if (subject === 'webgpu-f16' || subject === 'webgpu-packed') return 1.5e-3;
  if (needs === 'gradients' || kind === 'biWkv' || kind === 'reWkv') return 1e-4;
  return subject === 'webgpu' ? 2e-5 : 5e-5;
}
