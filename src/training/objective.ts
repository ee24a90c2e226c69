import * as tf from '@tensorflow/tfjs';
import type { Config } from '../model/config.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { slices, type Leaf } from './flatParameters.ts';
import type { TrainingOps } from './tfjsTrainingOps.ts';
import { recordSteps, runSteps } from './tfjsSteps.ts';
import { toTensor } from './tfjsTensor.ts';
import { divideSteps, runFreeing, segmentsOf, wholeSegment, type Segment } from './trainedPart.ts';

/** The network's input among the recorded leaves; no parameter has this name. */
const IMAGE = 'image';
const BRANCHES = ['alpha', 'conv1x1.weight', 'conv3x3.weight', 'conv5x5.weight'] as const;

/** The network as a function of the vector of its trained parameters. */
export interface Objective {
  /**
   * Mean absolute error over all pixels, and its gradient with respect to the vector.
   * @param x, target [N, H, W, 1], H and W multiples of 8
   * @returns tensors that the caller disposes
   */
  lossAndGradient(parameters: tf.Tensor1D, x: tf.Tensor, target: tf.Tensor): { loss: tf.Tensor; gradient: tf.Tensor };
  /** The restored images, [N, H, W, 1]; the caller disposes them. */
  restore(parameters: tf.Tensor1D, x: tf.Tensor): tf.Tensor;
  dispose(): void;
}

export interface ObjectiveSettings {
  readonly config: Config;
  /** The trained parameters' places in the vector, Omni-Shifts in branches. */
  readonly leaves: readonly Leaf[];
  /** The other parameters, as `toTrainable` names them: gradients stop where only these are behind. */
  readonly frozen: ReadonlyMap<string, StoredTensor>;
  /** Keep images between the halves of blocks only, and compute the rest again when gradients come back to them. */
  readonly recompute: boolean;
}

/** A result of a step by its index, or a trained parameter by its path. */
type Key = number | string;

export function createObjective({ config, leaves, frozen, recompute }: ObjectiveSettings, ops: TrainingOps): Objective {
  const recorded = recordSteps((ops, leaf) => restoreRwkv(ops, leaf, config, leaf(IMAGE)));
  const [trainedPaths, frozenPaths] = [leaves.map(({ path }) => path), [...frozen.keys()]].map(pathsByLeaf);
  const pathsAt = new Map([...trainedPaths].map(([name, paths]) => [recorded.leaves.get(name)!, paths]));
  const divided = divideSteps(recorded, (name) => trainedPaths.has(name));
  const segments = recompute ? segmentsOf(divided) : [wholeSegment(divided)];
  const constants = tf.tidy(() => Object.fromEntries([...frozenPaths].map(([name, paths]) =>
    [name, merged(paths.map((path) => toTensor(frozen.get(path)!)), ops)])));

  const keysOf = (segment: Segment): Key[] =>
    [...segment.inputs, ...segment.leaves.flatMap((leaf) => pathsAt.get(leaf)!)];
  /** The segment's result, from what its keys stand for and what it reads besides. */
  const run = (segment: Segment, values: readonly tf.Tensor[], others: ReadonlyMap<number, tf.Tensor>): tf.Tensor => {
    const all = new Map(others);
    let at = 0;
    for (const index of segment.inputs) all.set(index, values[at++]);
    for (const leaf of segment.leaves) all.set(leaf, merged(values.slice(at, at += pathsAt.get(leaf)!.length), ops));
    return runFreeing(segment.steps, ops, all, new Set([segment.result])).get(segment.result)!;
  };
  /** What no gradient goes to: the image, the frozen parameters, and the results of frozen steps that are read. */
  const fixed = (x: tf.Tensor): Map<number, tf.Tensor> => {
    const values = new Map([...recorded.leaves].flatMap(([name, index]): [number, tf.Tensor][] =>
      name === IMAGE ? [[index, x]] : constants[name] ? [[index, constants[name]]] : []));
    return new Map([...values, ...runFreeing(divided.frozen, ops, values, divided.boundary)]);
  };
  const named = (parameters: tf.Tensor1D): [string, tf.Tensor][] =>
    slices(parameters, leaves).map((tensor, i) => [leaves[i].path, tensor]);

  return {
    lossAndGradient: (parameters, x, target) => tf.tidy(() => {
      const others = fixed(x);
      const values = new Map<Key, tf.Tensor>(named(parameters));
      const given = (segment: Segment) => keysOf(segment).map((key) => values.get(key)!);
      for (const segment of segments.slice(0, -1)) {
        values.set(segment.result, tf.tidy(() => run(segment, given(segment), others)));
      }
      const gradients = new Map<Key, tf.Tensor>();
      let loss: tf.Tensor | null = null;
      for (const segment of segments.toReversed()) {
        const output = (...values: tf.Tensor[]) => run(segment, values, others);
        const gradient = gradients.get(segment.result);
        let parts: tf.Tensor[];
        if (gradient) {
          parts = tf.grads(output)(given(segment), gradient);
          tf.dispose([gradient, values.get(segment.result)!]);
        } else {
          const withLoss = tf.valueAndGrads((...values: tf.Tensor[]) => meanAbsoluteError(output(...values), target));
          ({ value: loss, grads: parts } = withLoss(given(segment)));
        }
        keysOf(segment).forEach((key, i) => {
          const known = gradients.get(key);
          gradients.set(key, known ? tf.add(known, parts[i]) : parts[i]);
          if (known) tf.dispose([known, parts[i]]);
        });
      }
      const flat = leaves.map(({ path }) => tf.reshape(gradients.get(path)!, [-1]));
      return { loss: loss!, gradient: tf.concat(flat) };
    }),

    restore: (parameters, x) => tf.tidy(() => {
      const tensors = new Map(named(parameters));
      const weights = new Map([...trainedPaths].map(([name, paths]) =>
        [name, merged(paths.map((path) => tensors.get(path)!), ops)]));
      return runSteps(recorded, ops, (name) => (name === IMAGE ? x : weights.get(name) ?? constants[name]));
    }),

    dispose: () => tf.dispose(constants),
  };
}

/** The parameters that `restoreRwkv` asks for, with the paths that each is made of: itself, or Omni-Shift's branches. */
function pathsByLeaf(paths: readonly string[]): Map<string, string[]> {
  const leaves = new Map<string, string[]>();
  for (const path of paths) {
    const at = /^(.*\.omni_shift)\./.exec(path)?.[1];
    if (at === undefined) leaves.set(path, [path]);
    else leaves.set(at, BRANCHES.map((branch) => `${at}.${branch}`));
  }
  return leaves;
}

/** A parameter from its tensors: one as it is, the branches of an Omni-Shift merged. */
function merged([first, ...branches]: readonly tf.Tensor[], ops: TrainingOps): tf.Tensor {
  if (branches.length === 0) return first;
  const [conv1x1, conv3x3, conv5x5] = branches;
  return ops.mergeOmniShift(first, conv1x1, conv3x3, conv5x5);
}

/** tfjs gives |x| a slope of −1 at 0; equal pixels have nothing to learn from, as in PyTorch. */
const meanAbsoluteError: (y: tf.Tensor, target: tf.Tensor) => tf.Tensor = tf.customGrad((...parameters) => {
  const [y, target, save] = parameters as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
  const difference = tf.sub(y, target);
  save([difference]);
  return {
    value: tf.mean(tf.abs(difference)),
    gradFunc: (dy: tf.Tensor, [difference]: tf.Tensor[]) => {
      const sign = tf.sub(tf.step(difference), tf.step(tf.neg(difference)));
      const gradient = tf.mul(tf.div(sign, difference.size), dy);
      return [gradient, tf.neg(gradient)];
    },
  };
});
