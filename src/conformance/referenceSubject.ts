import { float64Image, type Float64Image } from '../kernels/float64Image.ts';
import { mergeOmniShift, mergeOmniShiftGradient } from '../kernels/mergeOmniShift.reference.ts';
import { recordingOps, referenceOps, Tape, type Variable } from '../kernels/reference.ts';
import { FormatError } from '../formats/volume.ts';
import type { Subject, Tensors } from './subject.ts';

/** The float64 interpreter, with gradients. */
export const referenceSubject: Subject = {
  name: 'reference',

  async evaluate(program, activations, weights) {
    const inputs = new Map<string, Float64Image>();
    for (const [name, { shape, data }] of [...activations, ...weights]) inputs.set(name, float64Image(shape, data));
    return program(referenceOps, (name) => found(inputs, name));
  },

  async gradients(program, activations, weights, outputGradient) {
    const tape = new Tape();
    const leaves = new Map<string, Variable>();
    for (const [name, { shape, data }] of [...activations, ...weights]) {
      leaves.set(name, tape.leaf(float64Image(shape, data)));
    }
    const merged = new Map<string, Variable>();
    const output = program(recordingOps(tape), (name) => {
      if (leaves.has(name) || !leaves.has(`${name}.alpha`)) return found(leaves, name);
      const kernel = merged.get(name) ?? mergedKernel(tape, leaves, name);
      merged.set(name, kernel);
      return kernel;
    });
    const { shape, data } = outputGradient(output.value);
    const gradient = tape.backward(output, float64Image(shape, data));
    const gradients: Tensors = new Map([...leaves].map(([name, leaf]) => [name, gradient(leaf)]));
    return { output: output.value, gradients };
  },
};

/** The kernel of an Omni-Shift whose branches are leaves. */
function mergedKernel(tape: Tape, leaves: ReadonlyMap<string, Variable>, at: string): Variable {
  const inputs = ['alpha', 'conv1x1.weight', 'conv3x3.weight', 'conv5x5.weight'].map((name) => found(leaves, `${at}.${name}`));
  const [alpha, conv1x1, conv3x3, conv5x5] = inputs.map(({ value }) => value);
  const branches = { alpha, conv1x1, conv3x3, conv5x5 };
  return tape.record(inputs, mergeOmniShift(branches), (g) => {
    const gradient = mergeOmniShiftGradient(branches, g);
    return [gradient.alpha, gradient.conv1x1, gradient.conv3x3, gradient.conv5x5];
  });
}

function found<T>(inputs: ReadonlyMap<string, T>, name: string): T {
  const input = inputs.get(name);
  if (input === undefined) throw new FormatError(`conformance: the program asks for ${name}, which was not given`);
  return input;
}
