import * as tf from '@tensorflow/tfjs';
import type { Config } from '../model/config.ts';
import type { Ops } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { WeightsError } from '../weights/errors.ts';
import { expectFiniteDecays, expectImage } from './networkInput.ts';
import { MAX_DECAY, MAX_OWN_EXPONENT } from './tfjsBiWkv.ts';
import { tfjsOps } from './tfjsOps.ts';
import { recordSteps, runSteps } from './tfjsSteps.ts';
import { toTensor } from './tfjsTensor.ts';
import { hasThreads } from './tfjsWasmHeap.ts';
import { wasmOps } from './tfjsWasmOps.ts';

/** The network's input among the leaves; no parameter has this name. */
const IMAGE = 'image';

/** A network's parameters by path, in the layouts that `Ops` wants. */
export interface TfjsNetworkWeights {
  readonly config: Config;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

export interface TfjsNetwork {
  /**
   * Restores one image, row-major, in [0, 1].
   * @throws ShapeError unless height and width are positive multiples of 8, the image has height·width elements and is
   * large enough for the weights' bonuses (8×8 is, unless they are far from any trained network's; on wasm, always)
   */
  restore(image: Float32Array, height: number, width: number): Promise<Float32Array>;
  /** Frees the weights. The network must not be used afterwards. */
  dispose(): void;
}

/**
 * Puts the weights on the current tfjs backend; the network runs on that backend from then on.
 *
 * @param ops the fastest that there are for the backend, when left out
 * @throws WeightsError where a parameter is missing, or a decay or bonus is not finite or outside of what the operators
 *   hold
 */
export function createTfjsNetwork(weights: TfjsNetworkWeights, ops?: Ops<tf.Tensor>): TfjsNetwork {
  const limits = prefixSumLimits(weights);
  return networkOf(weights, ops ?? inferenceOps(limits), limits);
}

/**
 * On one thread of wasm, our operators are a sixth faster than tfjs's own; those gain more from further threads, but
 * do not hold every decay.
 */
function inferenceOps({ decay, leastTokens }: PrefixSumLimits): Ops<tf.Tensor> {
  const wasm = tf.getBackend() === 'wasm';
  return wasm && (!hasThreads() || decay !== null || leastTokens > 1) ? wasmOps() : tfjsOps;
}

function networkOf(weights: TfjsNetworkWeights, ops: Ops<tf.Tensor>, limits: PrefixSumLimits): TfjsNetwork {
  const backend = tf.getBackend();
  const limited = ops.biWkv === tfjsOps.biWkv;
  if (limited && limits.decay) throw limits.decay;
  const leastTokens = limited ? limits.leastTokens : 1;
  const steps = recordSteps((ops, leaf) => restoreRwkv(ops, leaf, weights.config, leaf(IMAGE)));
  const stored = [...steps.leaves.keys()].filter((path) => path !== IMAGE).map((path) => {
    const tensor = weights.tensors.get(path);
    if (!tensor) throw new WeightsError(`network: the parameter ${path} is missing; load the weights of this network`);
    return [path, tensor] as const;
  });
  const tensors = new Map(stored.map(([path, tensor]) => [path, toTensor(tensor)]));
  const lookup = (path: string) => {
    const tensor = tensors.get(path);
    if (!tensor) throw new WeightsError('network: its weights were disposed; create the network again');
    return tensor;
  };

  return {
    async restore(image, height, width) {
      checkImage(image, height, width, leastTokens);
      if (tf.getBackend() !== backend) await tf.setBackend(backend);
      const restored = tf.tidy(() => {
        const x = tf.tensor4d(image, [1, height, width, 1]);
        return runSteps(steps, ops, (name) => (name === IMAGE ? x : lookup(name)));
      });
      try {
        return (await restored.data()) as Float32Array;
      } finally {
        restored.dispose();
      }
    },
    dispose() {
      tf.dispose([...tensors.values()]);
      tensors.clear();
    },
  };
}

/** What weights ask of a Bi-WKV by prefix sums in float32. */
interface PrefixSumLimits {
  /** Refuses a decay that the sums cannot hold; null where they hold all. */
  readonly decay: WeightsError | null;
  /** The number of tokens that a level needs so that bonus/T stays in range. */
  readonly leastTokens: number;
}

/** @throws WeightsError for a decay or bonus that is not finite */
function prefixSumLimits({ tensors }: TfjsNetworkWeights): PrefixSumLimits {
  expectFiniteDecays(tensors);
  let leastTokens = 1;
  let tooLarge: WeightsError | null = null;
  for (const [path, { data: decay }] of tensors) {
    const [, at, pass] = /^(.*)\.spatial_decay\.(\d+)$/.exec(path) ?? [];
    if (at === undefined) continue;
    const bonus = tensors.get(`${at}.spatial_first.${pass}`)?.data;
    decay.forEach((w, channel) => {
      const own = Math.abs((bonus?.[channel] ?? 0) - w);
      if (Math.abs(w) > MAX_DECAY) {
        tooLarge ??= new WeightsError(
          `network: ${path} holds ${w} at ${channel}, expected within ±${MAX_DECAY} on this device; use WebGPU`,
        );
      }
      leastTokens = Math.max(leastTokens, own / MAX_OWN_EXPONENT);
    });
  }
  return { decay: tooLarge, leastTokens };
}

function checkImage(image: Float32Array, height: number, width: number, leastTokens: number): void {
  expectImage(image, height, width);
  // The latent's tokens are the fewest.
  if ((height * width) / 64 < leastTokens) {
    throw new ShapeError(
      `network: found an image of ${height}×${width} pixels, expected at least ${Math.ceil(leastTokens * 64)} pixels ` +
      'for these weights on this device; take a larger part of the image or use WebGPU',
    );
  }
}
