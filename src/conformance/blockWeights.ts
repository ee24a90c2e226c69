import { mergeOmniShift } from '../weights/mergeOmniShift.ts';
import type { StateDict, StoredTensor } from '../weights/tensor.ts';
import { given } from './gradients.ts';

/**
 * The parameters of a single block, under any prefix, in the layouts of `Ops`: linears (out, in) → [in, out],
 * Omni-Shift merged to [5, 5, C], decay and bonus (R, C) → one [C] a pass, vectors as they are. `toNetworkWeights` does
 * the same for whole networks, which it insists on.
 */
export function blockWeights(parameters: StateDict): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of parameters) {
    const omniShift = /^(.*omni_shift)\.alpha$/.exec(name)?.[1];
    if (omniShift !== undefined) {
      tensors.set(omniShift, mergedKernel(parameters, omniShift));
    } else if (/\.spatial_(decay|first)$/.test(name)) {
      for (const [path, pass] of passes(name, { shape, data })) tensors.set(path, pass);
    } else if (shape.length === 2) {
      const [outputs, inputs] = shape;
      const turned = data.map((_, at) => data[(at % outputs) * inputs + Math.floor(at / outputs)]);
      tensors.set(name, { shape: [inputs, outputs], data: turned });
    } else if (shape.length === 1) {
      tensors.set(name, { shape, data });
    }
  }
  return tensors;
}

/** The merged kernel [5, 5, C] of the branches under a path such as `att.omni_shift`. */
export function mergedKernel(parameters: StateDict, path: string): StoredTensor {
  const branch = (name: string) => given(parameters, `${path}.${name}`).data;
  const data = mergeOmniShift({
    alpha: branch('alpha'),
    conv1x1: branch('conv1x1.weight'),
    conv3x3: branch('conv3x3.weight'),
    conv5x5: branch('conv5x5.weight'),
  });
  return { shape: [5, 5, data.length / 25], data };
}

/** The rows of a parameter (R, C), under the names by which the network asks for them. */
export function passes(name: string, { shape, data }: StoredTensor): [string, StoredTensor][] {
  const [count, c] = shape;
  const row = (j: number): StoredTensor => ({ shape: [c], data: data.slice(j * c, (j + 1) * c) });
  return Array.from({ length: count }, (_, j) => [`${name}.${j}`, row(j)]);
}
