import { describe, expect, test } from 'vitest';
import type { Config } from '../model/config.ts';
import type { Ops } from '../model/ops.ts';
import { block } from '../model/restoreRwkv.ts';
import type { Float64Image } from './float64Image.ts';
import { gradientError, noise } from './gradientCheck.ts';
import { recordingOps, referenceOps, Tape, type Variable } from './reference.ts';

const CHANNELS = 4;
const AT = 'block';
const config: Config = { dim: CHANNELS, blocks: [1, 0, 0, 0], refinement: 0, recurrence: 2 };

/** Shapes of a block's weights in the layouts of `Ops`. */
const WEIGHTS: Readonly<Record<string, readonly number[]>> = Object.fromEntries([
  ...['gamma1', 'gamma2', 'ln1.weight', 'ln1.bias', 'ln2.weight', 'ln2.bias'].map((name) => [name, [CHANNELS]]),
  ...['spatial_decay.0', 'spatial_decay.1', 'spatial_first.0', 'spatial_first.1'].map((n) => [`att.${n}`, [CHANNELS]]),
  ...['key', 'value', 'receptance', 'output'].map((name) => [`att.${name}.weight`, [CHANNELS, CHANNELS]]),
  ['att.omni_shift', [5, 5, CHANNELS]],
  ['ffn.omni_shift', [5, 5, CHANNELS]],
  ['ffn.key.weight', [CHANNELS, 4 * CHANNELS]],
  ['ffn.receptance.weight', [CHANNELS, CHANNELS]],
  ['ffn.value.weight', [4 * CHANNELS, CHANNELS]],
]);
const names = Object.keys(WEIGHTS).map((name) => `${AT}.${name}`);
const inputs = [noise([1, 3, 2, CHANNELS], 1), ...Object.values(WEIGHTS).map((shape, i) => noise(shape, i + 2))];

/** The block between a pixel shuffle and a convolution, joined to itself, so that every operator takes part. */
function program<T>(ops: Ops<T>, [x, ...weights]: readonly T[]): T {
  const input = (name: string) => weights[names.indexOf(name)];
  const y = block(ops, input, AT, config, x);
  return ops.concat(ops.pixelUnshuffle(ops.pixelShuffle(y)), ops.mul(x, y));
}

describe('the tape', () => {
  test('gives a block the gradients of central differences, for its input and every weight', () => {
    const forward = (...values: Float64Image[]) => program(referenceOps, values);
    const error = gradientError(forward, (g, ...values) => {
      const tape = new Tape();
      const leaves = values.map((value) => tape.leaf(value));
      const gradient = tape.backward(program(recordingOps(tape), leaves), g);
      return leaves.map((leaf) => gradient(leaf));
    }, inputs);
    // The composition's third derivatives are larger than an operator's alone.
    expect(error).toBeLessThan(1e-6);
  });

  test('computes the same values as the plain interpreter', () => {
    const tape = new Tape();
    const recorded = program(recordingOps(tape), inputs.map((value) => tape.leaf(value)));
    expect(recorded.value).toEqual(program(referenceOps, inputs));
  });

  test('adds up the gradients of a variable that is used twice, and gives zeros to one that is not used', () => {
    const tape = new Tape();
    const ops: Ops<Variable> = recordingOps(tape);
    const [x, unused] = [tape.leaf(noise([1, 1, 2, 2], 1)), tape.leaf(noise([3], 2))];
    const gradient = tape.backward(ops.add(x, x), noise([1, 1, 2, 2], 3));
    expect([...gradient(x).data]).toEqual([...noise([1, 1, 2, 2], 3, 2).data]);
    expect([...gradient(unused).data]).toEqual([0, 0, 0]);
  });
});
