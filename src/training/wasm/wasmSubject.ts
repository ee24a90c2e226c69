import { ShapeError, type Program } from '../../model/ops.ts';
import type { ImageShape } from '../../engine/graph.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import { createMachine, type MachineOptions } from './machine.ts';
import { lowerProgram, readPadded, writePadded } from './wasmProgram.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;

/**
 * Runs a program on images [N, H, W, C], one of the batch after another: what conformance vectors are compared with.
 *
 * @throws ShapeError where an input is missing, or this engine's WebAssembly has no SIMD
 */
export async function evaluateWithWasm(
  program: Program, activations: Tensors, weights: Tensors, options: MachineOptions = {},
): Promise<StoredTensor> {
  const parameter = (path: string): StoredTensor => {
    const tensor = weights.get(path);
    if (tensor) return tensor;
    throw new ShapeError(`program: the input ${path} is missing; found ${[...activations.keys(), ...weights.keys()].join(', ')}`);
  };
  const shapes = new Map([...activations].map(([name, { shape: [, h, w, c] }]): [string, ImageShape] => [name, [1, h, w, c]]));
  const lowered = lowerProgram(program, shapes, parameter);
  const machine = await createMachine(options);
  if (!machine) throw new ShapeError('wasm: this engine knows no SIMD; use tfjs');
  machine.load(lowered);
  const batch = [...activations.values()][0]!.shape[0]!;
  const results: Float32Array[] = [];
  for (let n = 0; n < batch; n++) {
    results.push(machine.run((floats) => {
      for (const [name, { region, channels }] of lowered.inputs) {
        const { data } = activations.get(name)!;
        const size = data.length / batch;
        writePadded(data.subarray(n * size, (n + 1) * size), channels, floats(region));
      }
    }, (output) => readPadded(output, lowered.output.channels)));
  }
  machine.dispose();
  const data = new Float32Array(batch * results[0]!.length);
  results.forEach((result, n) => data.set(result, n * result.length));
  return { shape: [batch, ...lowered.output.shape.slice(1)], data };
}
