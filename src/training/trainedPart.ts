import * as tf from '@tensorflow/tfjs';
import type { Ops } from '../model/ops.ts';
import type { Steps } from './tfjsSteps.ts';

type Step = Steps['steps'][number];

/** Steps that are differentiated together: they read what came before, and one result is read by what follows. */
export interface Segment {
  readonly steps: readonly Step[];
  readonly result: number;
  /** Results of earlier segments that they read. */
  readonly inputs: readonly number[];
  /** Trained parameters that they read. */
  readonly leaves: readonly number[];
}

/** Recorded steps in two: those that no trained parameter reaches, and those that gradients go through. */
export interface DividedSteps {
  readonly frozen: readonly Step[];
  /** Results of frozen steps that trained ones read. */
  readonly boundary: ReadonlySet<number>;
  readonly trained: readonly Step[];
  /** Trained parameters. */
  readonly leaves: ReadonlySet<number>;
}

/** Divides steps by what they depend on: a step is trained where one of its inputs is, directly or through others. */
export function divideSteps({ leaves, steps }: Steps, isTrained: (leaf: string) => boolean): DividedSteps {
  const own = new Set([...leaves].filter(([name]) => isTrained(name)).map(([, index]) => index));
  const reached = new Set(own);
  const frozen: Step[] = [];
  const trained: Step[] = [];
  for (const step of steps) {
    if (step.inputs.some((input) => reached.has(input))) {
      reached.add(step.output);
      trained.push(step);
    } else {
      frozen.push(step);
    }
  }
  const made = new Set(frozen.map(({ output }) => output));
  const boundary = new Set(trained.flatMap(({ inputs }) => inputs).filter((input) => made.has(input)));
  return { frozen, trained, boundary, leaves: own };
}

/**
 * Cuts trained steps where fewest results are alive, which is between the halves of a block: what the next steps read is
 * little there against what the steps before have made. Each segment hands on one new result.
 */
export function segmentsOf({ trained, leaves }: DividedSteps): Segment[] {
  const lastUse = new Map<number, number>();
  trained.forEach(({ inputs }, at) => inputs.forEach((input) => lastUse.set(input, at)));
  const isNeededAfter = (at: number) => ({ output }: Step) => (lastUse.get(output) ?? Infinity) > at;
  const alive = trained.map((_, at) => trained.slice(0, at + 1).filter(isNeededAfter(at)).length);
  const segments: Segment[] = [];
  let start = 0;
  for (const at of trained.keys()) {
    const steps = trained.slice(start, at + 1);
    const isCut = isValley(alive, at) && steps.filter(isNeededAfter(at)).length === 1;
    if (!isCut && at < trained.length - 1) continue;
    segments.push(segment(steps, leaves, new Set(segments.map(({ result }) => result))));
    start = at + 1;
  }
  return segments;
}

/** All trained steps as one. */
export const wholeSegment = ({ trained, leaves }: DividedSteps): Segment => segment(trained, leaves, new Set());

function segment(steps: readonly Step[], leaves: ReadonlySet<number>, earlier: ReadonlySet<number>): Segment {
  const read = [...new Set(steps.flatMap(({ inputs }) => inputs))];
  return {
    steps,
    result: steps[steps.length - 1].output,
    inputs: read.filter((input) => earlier.has(input)),
    leaves: read.filter((input) => leaves.has(input)),
  };
}

/** Whether the values next to it that differ are larger. */
function isValley(values: readonly number[], at: number): boolean {
  const differs = (value: number) => value !== values[at];
  const before = values.slice(0, at).findLast(differs);
  const after = values.slice(at + 1).find(differs);
  return (before ?? Infinity) > values[at] && (after ?? Infinity) > values[at];
}

/**
 * Runs steps in order and frees each result after its last use, but for those to keep. Under a gradient tape too: what
 * a gradient needs of a freed tensor, the tape holds by itself.
 *
 * @param values what the steps read that they do not make, by index; the caller keeps and disposes them
 * @returns the results to keep, which belong to the scope around
 */
export function runFreeing(
  steps: readonly Step[], ops: Ops<tf.Tensor>, values: ReadonlyMap<number, tf.Tensor>, keep: ReadonlySet<number>,
): Map<number, tf.Tensor> {
  const lastUse = new Map<number, Step>();
  for (const step of steps) for (const input of step.inputs) lastUse.set(input, step);
  const made = new Map<number, tf.Tensor>();
  for (const step of steps) {
    const inputs = step.inputs.map((index) => made.get(index) ?? values.get(index)!);
    made.set(step.output, tf.tidy(() => step.run(ops, inputs)));
    for (const input of new Set(step.inputs)) {
      if (keep.has(input) || lastUse.get(input) !== step) continue;
      made.get(input)?.dispose();
      made.delete(input);
    }
  }
  return made;
}
