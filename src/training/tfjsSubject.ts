import * as tf from '@tensorflow/tfjs';
import type { Ops, Program } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { tfjsOps } from './tfjsOps.ts';
import { recordSteps, runSteps } from './tfjsSteps.ts';
import { toTensor } from './tfjsTensor.ts';

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
 *
 * @param outputGradient ∂L/∂output, of the output's shape, from the output
 */
export async function gradientsWithTfjs(
  program: Program, inputs: Inputs, outputGradient: (output: Float32Result) => StoredTensor,
  ops: Ops<tf.Tensor> = tfjsOps,
): Promise<{ output: Float32Result; gradients: Map<string, Float32Result> }> {
  const output = await evaluateWithTfjs(program, inputs, ops);
  const names = [...inputs.keys()];
  const tensors = tf.tidy(() => {
    const differentiate = tf.grads((...values) =>
      program<tf.Tensor>(ops, (name) => {
        named(inputs, name);
        return values[names.indexOf(name)];
      }));
    return differentiate(names.map((name) => toTensor(named(inputs, name))), toTensor(outputGradient(output)));
  });
  const gradients = new Map<string, Float32Result>();
  for (const [index, tensor] of tensors.entries()) gradients.set(names[index], await read(tensor));
  return { output, gradients };
}

function named(inputs: Inputs, name: string): StoredTensor {
  const input = inputs.get(name);
  if (!input) throw new ShapeError(`program: the input ${name} is missing; found ${[...inputs.keys()].join(', ')}`);
  return input;
}

/** Reads and disposes. */
async function read(tensor: tf.Tensor): Promise<Float32Result> {
  try {
    return { shape: tensor.shape, data: (await tensor.data()) as Float32Array };
  } finally {
    tensor.dispose();
  }
}
