import type { Ops } from '../model/ops.ts';
import { biWkv, biWkvGradient } from './biWkv.reference.ts';
import { concat, concatGradient } from './concat.reference.ts';
import { conv, convGradient } from './conv.reference.ts';
import {
  add, mul, mulGradient, sigmoid, sigmoidGradient, squaredRelu, squaredReluGradient,
} from './elementwise.reference.ts';
import { expectShape, zeros, type Float64Image } from './float64Image.ts';
import { layerNorm, layerNormGradient } from './layerNorm.reference.ts';
import { linear, linearGradient } from './linear.reference.ts';
import { omniShift, omniShiftGradient } from './omniShift.reference.ts';
import { pixelShuffle, pixelUnshuffle } from './pixelShuffle.reference.ts';

/** The interpreter in plain float64: the values that every other one is compared with. */
export const referenceOps: Ops<Float64Image> = {
  conv, linear, layerNorm, omniShift, biWkv, add, mul, sigmoid, squaredRelu, concat, pixelShuffle, pixelUnshuffle,
};

/** A value on a tape: a leaf, or the result of an operator. */
export interface Variable {
  readonly id: number;
  readonly value: Float64Image;
}

/** ∂L/∂input for each input of an operator, given ∂L/∂output; null for an input that takes none. */
export type Pullback = (g: Float64Image) => readonly (Float64Image | null)[];

interface Entry {
  readonly output: Variable;
  readonly inputs: readonly (Variable | null)[];
  readonly pullback: Pullback;
}

/**
 * Reverse-mode differentiation of a program over `Ops`: operators run at once and are noted down; `backward` goes
 * through the notes from the last to the first, handing each operator's gradient on to its inputs.
 */
export class Tape {
  readonly #entries: Entry[] = [];
  #variables = 0;

  /** A value that gradients are wanted for, or a constant. */
  leaf(value: Float64Image): Variable {
    return { id: this.#variables++, value };
  }

  /** Notes down an operator's output, with what carries its gradient back to the inputs. */
  record(inputs: readonly (Variable | null)[], value: Float64Image, pullback: Pullback): Variable {
    const output = this.leaf(value);
    this.#entries.push({ output, inputs, pullback });
    return output;
  }

  /**
   * The gradients of L with respect to every variable, for L with the gradient `g` with respect to `output`.
   *
   * @returns a look-up that gives zeros for a variable that L does not depend on
   * @throws ShapeError if `g` has not the shape of `output`
   */
  backward(output: Variable, g: Float64Image): (variable: Variable) => Float64Image {
    expectShape('backward', 'the gradient of the output', g, output.value.shape);
    const gradients = new Map([[output.id, g]]);
    for (const entry of this.#entries.toReversed()) {
      const gOutput = gradients.get(entry.output.id);
      if (!gOutput) continue;
      const gInputs = entry.pullback(gOutput);
      entry.inputs.forEach((input, index) => {
        const gInput = gInputs[index];
        if (!input || !gInput) return;
        const sum = gradients.get(input.id);
        gradients.set(input.id, sum ? add(sum, gInput) : gInput);
      });
    }
    return (variable) => gradients.get(variable.id) ?? zeros(variable.value.shape);
  }
}

/** The float64 operators on variables, noting themselves down on a tape. */
export function recordingOps(tape: Tape): Ops<Variable> {
  return {
    conv: (x, weight, bias) => {
      const biasValue = bias && bias.value;
      return tape.record([x, weight, bias], conv(x.value, weight.value, biasValue), (g) => {
        const gradient = convGradient(x.value, weight.value, biasValue, g);
        return [gradient.x, gradient.weight, gradient.bias];
      });
    },
    linear: (x, weight) => tape.record([x, weight], linear(x.value, weight.value), (g) => {
      const gradient = linearGradient(x.value, weight.value, g);
      return [gradient.x, gradient.weight];
    }),
    layerNorm: (x, weight, bias) => {
      return tape.record([x, weight, bias], layerNorm(x.value, weight.value, bias.value), (g) => {
        const gradient = layerNormGradient(x.value, weight.value, bias.value, g);
        return [gradient.x, gradient.weight, gradient.bias];
      });
    },
    omniShift: (x, kernel) => tape.record([x, kernel], omniShift(x.value, kernel.value), (g) => {
      const gradient = omniShiftGradient(x.value, kernel.value, g);
      return [gradient.x, gradient.kernel];
    }),
    biWkv: (key, value, decay, bonus, scan) => {
      const y = biWkv(key.value, value.value, decay.value, bonus.value, scan);
      return tape.record([key, value, decay, bonus], y, (g) => {
        const gradient = biWkvGradient(key.value, value.value, decay.value, bonus.value, scan, g);
        return [gradient.key, gradient.value, gradient.decay, gradient.bonus];
      });
    },
    add: (a, b) => tape.record([a, b], add(a.value, b.value), (g) => [g, g]),
    mul: (a, b) => tape.record([a, b], mul(a.value, b.value), (g) => {
      const gradient = mulGradient(a.value, b.value, g);
      return [gradient.a, gradient.b];
    }),
    sigmoid: (x) => tape.record([x], sigmoid(x.value), (g) => [sigmoidGradient(x.value, g)]),
    squaredRelu: (x) => tape.record([x], squaredRelu(x.value), (g) => [squaredReluGradient(x.value, g)]),
    concat: (a, b) => tape.record([a, b], concat(a.value, b.value), (g) => {
      const gradient = concatGradient(a.value, b.value, g);
      return [gradient.a, gradient.b];
    }),
    pixelShuffle: (x) => tape.record([x], pixelShuffle(x.value), (g) => [pixelUnshuffle(g)]),
    pixelUnshuffle: (x) => tape.record([x], pixelUnshuffle(x.value), (g) => [pixelShuffle(g)]),
  };
}
