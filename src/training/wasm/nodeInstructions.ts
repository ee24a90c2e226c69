import { lanesFor } from '../../kernels/kernel.ts';
import type { Handle, Node, Parameter } from '../../engine/graph.ts';
import { ShapeError } from '../../model/ops.ts';
import type { StoredTensor } from '../../weights/tensor.ts';
import * as I from './assembly/instructions.ts';
import { paddedRows, paddedVector, panels } from './panels.ts';
import type { Instruction, Region } from './regions.ts';
import type { Writer } from './writer.ts';

/** What a node's instructions may refer to. */
export interface Surroundings {
  /** The band of a node. */
  at(node: Node): Region;
  wholeOf(node: Node): Region;
  borderedOf(node: Node, margin: number): Region;
  /** A band of this thread's own. */
  scratch(floats: number): Region;
  readonly writer: Writer;
  parameter(path: string): StoredTensor;
}

/** Instructions that compute a band of a node into y. */
export function instructionsOf(node: Node, y: Region, around: Surroundings): Instruction[] {
  const { at, writer, parameter } = around;
  const bytes = 4 * lanesFor(node.shape[3]);
  const vector = ({ path }: Parameter) =>
    writer.weight(path, bytes / 4, () => paddedVector(parameter(path).data));
  const matrix = ({ path, shape }: Parameter, scale: Parameter | null) => {
    const taps = shape.length === 4 ? shape[0]! * shape[1]! : 1;
    const floats = taps * lanesFor(shape.at(-2)!) * lanesFor(shape.at(-1)!);
    return writer.weight(`${path} · ${scale?.path ?? 1}`, floats, () =>
      panels(parameter(path), scale && parameter(scale.path).data));
  };
  const noBias = () => writer.weight(`zeros ${bytes}`, bytes / 4, () => new Float32Array(bytes / 4));
  const maybe = (other: Node | null) => (other ? at(other) : 0);

  switch (node.op) {
    case 'linear': {
      const [part, ...others] = node.parts;
      if (!part || others.length > 0) throw new ShapeError('wasm: a linear of several parts; record the graph unjoined');
      const panels = matrix(part.weight, part.scale);
      const bias = node.bias ? vector(node.bias) : noBias();
      const code: Instruction[] = [];
      let gate: Region | 0 = 0;
      if (node.gate) {
        gate = around.scratch(bytes / 4);
        code.push([I.SIGMOID, at(node.gate), gate, bytes]);
      }
      code.push([
        I.LINEAR, at(node.x), lanesFor(node.x.shape[3]), y, bytes / 4, panels, bias, Number(part.squaredRelu), gate,
        maybe(node.residual),
      ]);
      return code;
    }
    case 'conv': {
      const [k, pixel] = [node.weight.shape[0]!, lanesFor(node.x.shape[3])];
      const windows = around.scratch(k * k * pixel);
      return [
        [I.WINDOWS, around.borderedOf(node.x, (k - 1) / 2), 4 * pixel, node.shape[2], k, windows],
        [
          I.LINEAR, windows, k * k * pixel, y, bytes / 4, matrix(node.weight, null), node.bias ? vector(node.bias) : noBias(),
          0, 0, maybe(node.residual),
        ],
      ];
    }
    case 'layerNorm': {
      const channels = node.shape[3];
      const mask = writer.weight(`mask ${channels % 4}`, 4, () =>
        new Float32Array(Int32Array.from({ length: 4 }, (_, i) => (i < ((channels - 1) % 4) + 1 ? -1 : 0)).buffer));
      return [[I.LAYER_NORM, at(node.x), channels, vector(node.weight), vector(node.bias), mask, y]];
    }
    case 'omniShift': {
      const { path } = node.kernel;
      const kernel = writer.weight(path, (25 * bytes) / 4, () => paddedRows(parameter(path).data, node.shape[3]));
      return [[I.SHIFT, around.borderedOf(node.x, 2), node.shape[2], kernel, y, bytes]];
    }
    case 'elementwise':
      return [elementwise(node.operation, at(node.a), node.b, y)];
    case 'concat':
      return [[I.CONCAT, at(node.a), node.a.shape[3], at(node.b), node.b.shape[3], y]];
    case 'rearrange': {
      const down = node.direction === 'unshuffle';
      const channels = (down ? node.x : node).shape[3];
      return [[
        down ? I.UNSHUFFLE : I.SHUFFLE, around.wholeOf(node.x), 4 * lanesFor(node.x.shape[3]), channels, node.shape[2], y, bytes,
      ]];
    }
    default:
      throw new ShapeError(`wasm: no instruction for ${node.op}`);
  }

  function elementwise(operation: string, a: Region, b: Handle | null, y: Region): Instruction {
    if (operation === 'sigmoid') return [I.SIGMOID, a, y, bytes];
    if (operation === 'squaredRelu') return [I.SQUARED_RELU, a, y, bytes];
    if (b?.op === 'parameter') return [I.SCALE, a, vector(b), y, bytes];
    if (!b) throw new ShapeError(`wasm: ${operation} of one image`);
    return [operation === 'add' ? I.ADD : I.MULTIPLY, a, at(b), y, bytes];
  }
}
