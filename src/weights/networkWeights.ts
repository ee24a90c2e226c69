import { parameters, type Config } from '../model/config.ts';
import { WeightsError } from './errors.ts';
import { mergeOmniShift } from './mergeOmniShift.ts';
import { elementCount, type StateDict, type StoredTensor } from './tensor.ts';

/** Weights in the layouts of `Ops`, under the paths that `restoreRwkv` looks up. */
export interface NetworkWeights {
  readonly config: Config;
  readonly tensors: Map<string, StoredTensor>;
}

/**
 * Converts a state_dict to what inference needs, in the layouts that `inLayouts` describes.
 *
 * @throws WeightsError where a parameter is missing or has another size
 */
export function toNetworkWeights(stateDict: Readonly<StateDict>, config: Config): NetworkWeights {
  const wanted: StateDict = new Map();
  for (const { name, shape } of parameters(config)) {
    const { data } = given(stateDict, name);
    if (data.length !== elementCount(shape)) {
      throw new WeightsError(
        `weights: ${name} has ${data.length} elements, expected ${elementCount(shape)}; load a matching checkpoint`,
      );
    }
    wanted.set(name, { shape, data });
  }
  return { config, tensors: inLayouts(wanted) };
}

function given(stateDict: Readonly<StateDict>, name: string): StoredTensor {
  const found = stateDict.get(name);
  if (found !== undefined) return found;
  throw new WeightsError(`weights: ${name} is missing; load a complete checkpoint of Restore-RWKV`);
}

/**
 * Parameters of a network or a part of one in the layouts of `Ops`: convolutions (O, I, k, k) → [k, k, I, O], linears
 * (out, in) → [in, out], `X.omni_shift.*` → `X.omni_shift` merged [5, 5, C], `X.spatial_decay` and `X.spatial_first`
 * (recurrence, C) → one [C] a pass, `X.spatial_decay.0` …; vectors as they are. Float64 stays float64, float32 float32
 * (merged in float64).
 *
 * @throws WeightsError where an Omni-Shift lacks a branch
 */
export function inLayouts(parameters: Readonly<StateDict>): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { shape, data }] of parameters) {
    if (name.endsWith('.omni_shift.alpha')) {
      const path = name.slice(0, -'.alpha'.length);
      const branch = (k: number) => given(parameters, `${path}.conv${k}x${k}.weight`).data;
      const merged = mergeOmniShift({ alpha: data, conv1x1: branch(1), conv3x3: branch(3), conv5x5: branch(5) });
      const kernel = data instanceof Float64Array ? merged : Float32Array.from(merged);
      tensors.set(path, { shape: [5, 5, merged.length / 25], data: kernel });
    } else if (name.includes('.omni_shift.')) {
      continue; // merged with its alpha
    } else if (name.endsWith('.spatial_decay') || name.endsWith('.spatial_first')) {
      const [recurrence, channels] = shape;
      for (let j = 0; j < recurrence; j++) {
        tensors.set(`${name}.${j}`, { shape: [channels], data: data.slice(j * channels, (j + 1) * channels) });
      }
    } else if (shape.length === 4) {
      const [outputs, inputs, height, width] = shape;
      const moved = transpose(data, outputs, inputs * height * width); // (I·k·k, O)
      const kernel = swapLeading(moved, inputs, height * width, outputs); // (k·k, I, O)
      tensors.set(name, { shape: [height, width, inputs, outputs], data: kernel });
    } else if (shape.length === 2) {
      const [outputs, inputs] = shape;
      tensors.set(name, { shape: [inputs, outputs], data: transpose(data, outputs, inputs) });
    } else {
      tensors.set(name, { shape, data });
    }
  }
  return tensors;
}

/** Parameters at inference, each Omni-Shift merged to one depth-wise 5×5: the paper's figures. */
export function countParameters(config: Config): number {
  return parameters(config)
    .filter(({ name }) => !/\.omni_shift\.(alpha|conv1x1\.weight|conv3x3\.weight)$/.test(name))
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** (rows, columns) → (columns, rows) */
function transpose(data: StoredTensor['data'], rows: number, columns: number): StoredTensor['data'] {
  return swapLeading(data, rows, columns, 1);
}

/** (a, b, c) → (b, a, c) */
function swapLeading(data: StoredTensor['data'], a: number, b: number, c: number): StoredTensor['data'] {
  const result = data.slice();
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) result[(j * a + i) * c + k] = data[(i * b + j) * c + k];
    }
  }
  return result;
}
