import * as tf from '@tensorflow/tfjs';
import type { Ops, Program } from '../model/ops.ts';

interface Step {
  /** Indices of values: leaves and results of earlier steps, in the order in which they came up. */
  readonly inputs: readonly number[];
  readonly output: number;
  readonly run: (ops: Ops<tf.Tensor>, inputs: readonly tf.Tensor[]) => tf.Tensor;
}

/** A program taken apart: what it reads, its operators in order, and the value that it returns. */
export interface Steps {
  readonly leaves: ReadonlyMap<string, number>;
  readonly steps: readonly Step[];
  readonly result: number;
}

/**
 * Records a program without computing anything. `runSteps` then knows when each value is needed for the last time;
 * run directly within `tf.tidy`, a network would keep every intermediate image until its end.
 */
export function recordSteps(program: Program): Steps {
  const leaves = new Map<string, number>();
  const steps: Step[] = [];
  let values = 0;
  const step = (inputs: readonly number[], run: Step['run']) => {
    const output = values++;
    steps.push({ inputs, output, run });
    return output;
  };
  const recorder: Ops<number> = {
    conv: (x, weight, bias) =>
      step(bias === null ? [x, weight] : [x, weight, bias], (ops, [x, weight, bias]) =>
        ops.conv(x, weight, bias ?? null)),
    linear: (...inputs) => step(inputs, (ops, [x, weight]) => ops.linear(x, weight)),
    layerNorm: (...inputs) => step(inputs, (ops, [x, weight, bias]) => ops.layerNorm(x, weight, bias)),
    omniShift: (...inputs) => step(inputs, (ops, [x, kernel]) => ops.omniShift(x, kernel)),
    biWkv: (key, value, decay, bonus, scan) =>
      step([key, value, decay, bonus], (ops, [key, value, decay, bonus]) =>
        ops.biWkv(key, value, decay, bonus, scan)),
    add: (...inputs) => step(inputs, (ops, [a, b]) => ops.add(a, b)),
    mul: (...inputs) => step(inputs, (ops, [a, b]) => ops.mul(a, b)),
    sigmoid: (x) => step([x], (ops, [x]) => ops.sigmoid(x)),
    squaredRelu: (x) => step([x], (ops, [x]) => ops.squaredRelu(x)),
    concat: (...inputs) => step(inputs, (ops, [a, b]) => ops.concat(a, b)),
    pixelShuffle: (x) => step([x], (ops, [x]) => ops.pixelShuffle(x)),
    pixelUnshuffle: (x) => step([x], (ops, [x]) => ops.pixelUnshuffle(x)),
  };
  const leaf = (name: string) => {
    const known = leaves.get(name);
    if (known !== undefined) return known;
    leaves.set(name, values);
    return values++;
  };
  const result = program(recorder, leaf);
  return { leaves, steps, result };
}

/**
 * Runs recorded steps eagerly and frees each intermediate tensor after its last use. Without gradients: under a
 * gradient tape tfjs keeps what it needs itself, so there a program is called directly.
 *
 * @param leaf the tensor of a name; the caller keeps and disposes it
 * @returns a tensor that the caller disposes
 */
export function runSteps(
  { leaves, steps, result }: Steps, ops: Ops<tf.Tensor>, leaf: (name: string) => tf.Tensor,
): tf.Tensor {
  const lastUse = new Map<number, Step>();
  for (const step of steps) for (const input of step.inputs) lastUse.set(input, step);
  return tf.tidy(() => {
    const values = new Map<number, tf.Tensor>();
    for (const [name, index] of leaves) values.set(index, leaf(name));
    const given = new Set(leaves.values());
    for (const step of steps) {
      values.set(step.output, tf.tidy(() => step.run(ops, step.inputs.map((input) => values.get(input)!))));
      for (const input of new Set(step.inputs)) {
        if (given.has(input) || input === result || lastUse.get(input) !== step) continue;
        values.get(input)!.dispose();
        values.delete(input);
      }
    }
    // A copy (no data is moved) where the result is a leaf or nothing but a leaf passed through.
    return tf.clone(values.get(result)!);
  });
}
