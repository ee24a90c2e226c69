import * as tf from '@tensorflow/tfjs';
import type { Ops, Program } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { tfjsOps } from './tfjsOps.ts';
import { recordSteps, runSteps } from './tfjsSteps.ts';
import { toTensor } from './tfjsTensor.ts';
import { stockTrainingOps, type TrainingOps } from './tfjsTrainingOps.ts';

type Inputs = ReadonlyMap<string, StoredTensor>;

export interface Float32Result {
  readonly shape: number[];
  readonly data: Float32Array;
}

/**
 * Evaluates a program with the tfjs interpreter on the current backend, in float32: the subject that conformance
 * vectors are compared with.
 *
 * @throws ShapeError when the program asks for an input that is not given
 */
export async function evaluateWithTfjs(
  program: Program, inputs: Inputs, ops: Ops<tf.Tensor> = tfjsOps,
): Promise<Float32Result> {
  const steps = recordSteps(program);
  return read(tf.tidy(() => runSteps(steps, ops, (name) => toTensor(named(inputs, name)))));
}

/**
 * The same program, and the gradients of a scalar L with respect to each of its inputs, by tfjs's own differentiation.
 * Where it asks for a kernel `X` and the inputs have the branches of an Omni-Shift, `X.alpha` and so on, these are merged.
 *
 * @param outputGradient ∂L/∂output, of the output's shape, from the output
 */
export async function gradientsWithTfjs(
  program: Program, inputs: Inputs, outputGradient: (output: Float32Result) => StoredTensor,
  ops: TrainingOps = stockTrainingOps,
): Promise<{ output: Float32Result; gradients: Map<string, Float32Result> }> {
  const names = [...inputs.keys()];
  const run = (values: readonly tf.Tensor[]) => program<tf.Tensor>(ops, lookupOf(names, values, ops));
  const output = await read(tf.tidy(() => run(names.map((name) => toTensor(named(inputs, name))))));
  const tensors = tf.tidy(() => {
    const differentiate = tf.grads((...values) => run(values));
    return differentiate(names.map((name) => toTensor(named(inputs, name))), toTensor(outputGradient(output)));
  });
  const gradients = new Map<string, Float32Result>();
  for (const [index, tensor] of tensors.entries()) gradients.set(names[index], await read(tensor));
  return { output, gradients };
}

/** Values by name; an Omni-Shift of which there are branches is merged once, when it is first asked for. */
function lookupOf(
  names: readonly string[], values: readonly tf.Tensor[], ops: TrainingOps,
): (name: string) => tf.Tensor {
  const known = new Map(names.map((name, i) => [name, values[i]]));
  return (name) => {
    const value = known.get(name);
    if (value) return value;
    const branches = ['alpha', 'conv1x1.weight', 'conv3x3.weight', 'conv5x5.weight'].map((branch) => known.get(`${name}.${branch}`));
    const [alpha, conv1x1, conv3x3, conv5x5] = branches;
    if (!alpha || !conv1x1 || !conv3x3 || !conv5x5) throw missing(name, names);
    const kernel = ops.mergeOmniShift(alpha, conv1x1, conv3x3, conv5x5);
    known.set(name, kernel);
    return kernel;
  };
}

function named(inputs: Inputs, name: string): StoredTensor {
  const input = inputs.get(name);
  if (!input) throw missing(name, [...inputs.keys()]);
  return input;
}

const missing = (name: string, found: readonly string[]): ShapeError =>
  new ShapeError(`program: the input ${name} is missing; found ${found.join(', ')}`);

/** Reads and disposes. */
async function read(tensor: tf.Tensor): Promise<Float32Result> {
  try {
    return { shape: tensor.shape, data: (await tensor.data()) as Float32Array };
  } finally {
    tensor.dispose();
  }
}
