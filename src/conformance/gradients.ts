import type { Program } from '../model/ops.ts';
import { FormatError } from '../formats/volume.ts';
import { zeros, type Float64Image } from '../kernels/float64Image.ts';
import { inLayouts } from '../weights/networkWeights.ts';
import type { StateDict, StoredTensor } from '../weights/tensor.ts';
import type { Subject, Tensors } from './subject.ts';

/** A subject's gradients. @throws FormatError if the subject has none */
export async function gradientsOf(
  subject: Subject, program: Program, activations: Tensors, weights: Tensors,
  outputGradient: (output: StoredTensor) => StoredTensor,
): Promise<{ output: StoredTensor; gradients: Tensors }> {
  if (!subject.gradients) throw new FormatError(`conformance: ${subject.name} computes no gradients`);
  return subject.gradients(program, activations, weights, outputGradient);
}

/** A tensor by name. @throws FormatError if the subject did not give it */
export function given(tensors: Tensors, name: string): StoredTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new FormatError(`conformance: no value was given for ${name}`);
  return tensor;
}

/**
 * Parameters as they are trained: in the layouts of `Ops` as `inLayouts` gives them, but for the branches of Omni-Shift,
 * which stay as the state_dict has them. A subject merges them where the program asks for their kernel.
 */
export function trainableWeights(stateDict: StateDict): Map<string, StoredTensor> {
  const parameters = [...stateDict].map((entry): StateDict => new Map([entry]));
  return new Map(parameters.flatMap((one) => {
    const [name] = one.keys();
    return [...(isBranch(name) ? one : inLayouts(one))];
  }));
}

/**
 * Carries gradients with respect to `trainableWeights` back to the parameters of the state_dict that these were made
 * from: layouts are permutations.
 *
 * @returns a gradient for every parameter, of its shape
 */
export function stateDictGradients(stateDict: StateDict, gradients: Tensors): Map<string, Float64Image> {
  return new Map([...stateDict].map(([name, { shape }]) => [name, parameterGradient(name, shape, gradients)]));
}

const isBranch = (name: string): boolean => name.includes('omni_shift.');

function parameterGradient(name: string, shape: readonly number[], gradients: Tensors): Float64Image {
  const out = zeros(shape);
  if (/\.spatial_(decay|first)$/.test(name)) {
    const [passes, c] = shape;
    for (let j = 0; j < passes; j++) out.data.set(given(gradients, `${name}.${j}`).data, j * c);
    return out;
  }
  const { data } = given(gradients, name);
  if (shape.length < 2 || isBranch(name)) {
    out.data.set(data);
    return out;
  }
  // [O, I, k, k] from [k, k, I, O], with one tap for the linears' [O, I] from [I, O].
  const [outputs, inputs, k = 1] = shape;
  const taps = k * k;
  for (let at = 0; at < out.data.length; at++) {
    const tap = at % taps;
    const input = Math.floor(at / taps) % inputs;
    const output = Math.floor(at / (taps * inputs));
    out.data[at] = data[(tap * inputs + input) * outputs + output];
  }
  return out;
}
