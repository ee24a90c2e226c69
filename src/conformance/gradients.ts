import type { Program } from '../model/ops.ts';
import { FormatError } from '../formats/volume.ts';
import { float64Image, zeros, type Float64Image } from '../kernels/float64Image.ts';
import { mergeOmniShiftGradient } from '../kernels/omniShift.reference.ts';
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
 * Carries gradients with respect to weights in the layouts of `Ops` back to the parameters of the state_dict that the
 * weights were made from: layouts are permutations, the merged Omni-Shift is bilinear in alpha and its branches.
 *
 * @param gradients by weight path, as `toNetworkWeights` names them
 * @returns a gradient for every parameter, of its shape
 */
export function stateDictGradients(stateDict: StateDict, gradients: Tensors): Map<string, Float64Image> {
  const out = new Map<string, Float64Image>();
  for (const [name, parameter] of stateDict) {
    const omniShift = /^(.*omni_shift)\.alpha$/.exec(name)?.[1];
    if (omniShift !== undefined) {
      const branches = omniShiftGradients(stateDict, omniShift, given(gradients, omniShift));
      for (const [branch, g] of branches) out.set(branch, g);
    } else if (!name.includes('omni_shift.')) {
      out.set(name, parameterGradient(name, parameter.shape, gradients));
    }
  }
  return out;
}

function omniShiftGradients(stateDict: StateDict, at: string, g: StoredTensor): [string, Float64Image][] {
  const branch = (name: string) => {
    const { shape, data } = given(stateDict, `${at}.${name}`);
    return float64Image(shape, data);
  };
  const gradient = mergeOmniShiftGradient({
    alpha: branch('alpha'),
    conv1x1: branch('conv1x1.weight'),
    conv3x3: branch('conv3x3.weight'),
    conv5x5: branch('conv5x5.weight'),
  }, float64Image(g.shape, g.data));
  return [
    [`${at}.alpha`, gradient.alpha],
    [`${at}.conv1x1.weight`, gradient.conv1x1],
    [`${at}.conv3x3.weight`, gradient.conv3x3],
    [`${at}.conv5x5.weight`, gradient.conv5x5],
  ];
}

function parameterGradient(name: string, shape: readonly number[], gradients: Tensors): Float64Image {
  const out = zeros(shape);
  if (/\.spatial_(decay|first)$/.test(name)) {
    const [passes, c] = shape;
    for (let j = 0; j < passes; j++) out.data.set(given(gradients, `${name}.${j}`).data, j * c);
    return out;
  }
  const { data } = given(gradients, name);
  if (shape.length < 2) {
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
