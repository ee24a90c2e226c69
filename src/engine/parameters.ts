import { convOutputs } from '../kernels/conv.ts';
import { lanesFor } from '../kernels/kernel.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { LinearPart, NodeOf, Parameter } from './graph.ts';

/** A weight in the layout that a kernel reads: `key` names it among all plans, `pack` makes it. */
export interface Packed {
  readonly key: string;
  readonly floats: number;
  pack(): Float32Array<ArrayBuffer>;
}

type Lookup = (parameter: Parameter) => StoredTensor;

/** [C] → [lanes], zero-padded. */
export function packVector(parameter: Parameter, lookup: Lookup): Packed {
  const floats = lanesFor(parameter.shape[0]!);
  return {
    key: parameter.path,
    floats,
    pack() {
      const packed = new Float32Array(floats);
      packed.set(lookup(parameter).data);
      return packed;
    },
  };
}

/** [5, 5, C] → [25, lanes] */
export function packOmniShift(kernel: Parameter, lookup: Lookup): Packed {
  const channels = kernel.shape[2]!;
  const lanes = lanesFor(channels);
  return {
    key: kernel.path,
    floats: 25 * lanes,
    pack: () => copyRows(lookup(kernel).data, 25, channels, lanes),
  };
}

/** [I, O] of each part, columns times the part's scale → [lanes(I), Σ lanes(O)] */
export function packLinear(parts: readonly LinearPart[], lookup: Lookup): Packed {
  const inputs = parts[0]!.weight.shape.at(-2)!;
  const widths = parts.map(({ weight }) => lanesFor(weight.shape.at(-1)!));
  const width = widths.reduce((a, b) => a + b);
  return {
    key: parts.map(({ weight, scale }) => `${weight.path}${scale ? `·${scale.path}` : ''}`).join(' | '),
    floats: lanesFor(inputs) * width,
    pack() {
      const packed = new Float32Array(lanesFor(inputs) * width);
      let column = 0;
      parts.forEach(({ weight, scale }, part) => {
        const outputs = weight.shape.at(-1)!;
        const { data } = lookup(weight);
        const factor = scale && lookup(scale).data;
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            packed[i * width + column + o] = data[i * outputs + o]! * (factor ? factor[o]! : 1);
          }
        }
        column += widths[part]!;
      });
      return packed;
    },
  };
}

/** [3, 3, I, O] → [9, lanes(I), outputs], for a shuffle with the sub-pixel outermost (see `convOutputs`). */
export function packConv({ weight, rearrange }: NodeOf<'conv'>, lookup: Lookup): Packed {
  const [, , inputs, outputs] = weight.shape as [number, number, number, number];
  const width = convOutputs(outputs, rearrange);
  const quarter = lanesFor(outputs / 4);
  const floats = 9 * lanesFor(inputs) * width;
  return {
    key: `${weight.path} ${rearrange}`,
    floats,
    pack() {
      const packed = new Float32Array(floats);
      const { data } = lookup(weight);
      for (let tap = 0; tap < 9; tap++) {
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < outputs; o++) {
            const column = rearrange === 'shuffle' ? (o % 4) * quarter + Math.floor(o / 4) : o;
            packed[(tap * lanesFor(inputs) + i) * width + column] = data[(tap * inputs + i) * outputs + o]!;
          }
        }
      }
      return packed;
    },
  };
}

function copyRows(data: ArrayLike<number>, rows: number, from: number, to: number): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < from; i++) packed[row * to + i] = data[row * from + i]!;
  }
  return packed;
}
