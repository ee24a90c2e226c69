import { float64Image, type Float64Image } from '../kernels/float64Image.ts';
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
    const output = program(recordingOps(tape), (name) => found(leaves, name));
    const { shape, data } = outputGradient(output.value);
    const gradient = tape.backward(output, float64Image(shape, data));
    const gradients: Tensors = new Map([...leaves].map(([name, leaf]) => [name, gradient(leaf)]));
    return { output: output.value, gradients };
  },
};

function found<T>(inputs: ReadonlyMap<string, T>, name: string): T {
  const input = inputs.get(name);
  if (input === undefined) throw new FormatError(`conformance: the program asks for ${name}, which was not given`);
  return input;
}
