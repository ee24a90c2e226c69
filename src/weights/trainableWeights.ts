import { parameters, type Config } from '../model/config.ts';
import { WeightsError } from './errors.ts';
import { inLayouts } from './networkWeights.ts';
import { elementCount, type StateDict, type StoredTensor } from './tensor.ts';

/**
 * A state_dict in the layouts of `Ops` as `inLayouts` gives them, but with the branches of each Omni-Shift as they are:
 * `X.omni_shift.alpha`, `X.omni_shift.conv1x1.weight` … in PyTorch's shapes. Training changes the branches, not what
 * they merge to. In the order of `parameters(config)`.
 *
 * @throws WeightsError where a parameter is missing or has another size
 */
export function toTrainable(stateDict: Readonly<StateDict>, config: Config): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape } of parameters(config)) {
    const data = stateDict.get(name)?.data;
    if (data?.length !== elementCount(shape)) {
      throw new WeightsError(
        `weights: ${name} has ${data?.length ?? 'no'} elements, expected ${elementCount(shape)}; ` +
          'load a complete checkpoint of Restore-RWKV',
      );
    }
    const one: StateDict = new Map([[name, { shape, data }]]);
    for (const [path, tensor] of isBranch(name) ? one : inLayouts(one)) tensors.set(path, tensor);
  }
  return tensors;
}

/** The inverse of `toTrainable`: parameters under PyTorch's names, in PyTorch's shapes; those that are not given, not. */
export function fromTrainable(tensors: ReadonlyMap<string, StoredTensor>, config: Config): StateDict {
  const stateDict: StateDict = new Map();
  for (const { name, shape } of parameters(config)) {
    const data = passes(name, shape) ? joined(tensors, name, shape) : tensors.get(name)?.data;
    if (data === undefined) continue;
    stateDict.set(name, { shape, data: shape.length >= 2 && !passes(name, shape) && !isBranch(name)
      ? outputsFirst(data, shape)
      : data.slice() });
  }
  return stateDict;
}

const isBranch = (name: string): boolean => name.includes('.omni_shift.');

/** How many rows of a parameter are leaves of their own: the passes of Re-WKV have a decay and a bonus each. */
const passes = (name: string, [recurrence = 0]: readonly number[]): number =>
  /\.spatial_(decay|first)$/.test(name) ? recurrence : 0;

function joined(
  tensors: ReadonlyMap<string, StoredTensor>, name: string, shape: readonly number[],
): Float32Array | undefined {
  const all = new Float32Array(elementCount(shape));
  for (let pass = 0; pass < shape[0]; pass++) {
    const data = tensors.get(`${name}.${pass}`)?.data;
    if (data === undefined) return undefined;
    all.set(data, pass * shape[1]);
  }
  return all;
}

/** [k, k, I, O] → (O, I, k, k) and [I, O] → (O, I): linears have one tap. */
function outputsFirst(data: StoredTensor['data'], [outputs, inputs, k = 1]: readonly number[]): StoredTensor['data'] {
  const taps = k * k;
  const result = data.slice();
  for (let output = 0, at = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let tap = 0; tap < taps; tap++) result[at++] = data[(tap * inputs + input) * outputs + output];
    }
  }
  return result;
}
