import type { Rearrangement } from '../kernels/conv.ts';
import type { Elementwise } from '../kernels/elementwise.ts';
import type { Ops, Scan } from '../model/ops.ts';
import { ShapeError } from '../model/ops.ts';

/** [batch, height, width, channels] */
export type ImageShape = readonly [number, number, number, number];

/** A weight, known by its path. */
export interface Parameter {
  readonly op: 'parameter';
  readonly path: string;
  readonly shape: readonly number[];
}

/**
 * An activation and how it is computed. Nodes are immutable; `order` is the moment at which it was recorded, and the
 * order in which the plan runs. Fields beyond the operator's own (gate, residual, scale, …) are filled by fusion.
 */
export type Node = { readonly order: number; readonly shape: ImageShape } & (
  | { readonly op: 'input'; readonly name: string }
  | {
      readonly op: 'conv'; readonly x: Node; readonly weight: Parameter; readonly bias: Parameter | null;
      readonly rearrange: Rearrangement; readonly residual: Node | null;
    }
  | {
      readonly op: 'linear'; readonly x: Node; readonly parts: readonly LinearPart[]; readonly bias: Parameter | null;
      readonly gate: Node | null; readonly residual: Node | null; readonly shift: Shift | null;
    }
  | {
      /** sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual */
      readonly op: 'channelMix'; readonly x: Node; readonly receptance: Parameter; readonly key: Parameter;
      readonly valuePart: LinearPart; readonly residual: Node | null; readonly shift: Shift | null;
    }
  | { readonly op: 'slice'; readonly x: Node; readonly part: number }
  | { readonly op: 'layerNorm'; readonly x: Node; readonly weight: Parameter; readonly bias: Parameter }
  | { readonly op: 'omniShift'; readonly x: Node; readonly kernel: Parameter }
  | {
      /** Omni-Shift of a layer norm. */
      readonly op: 'shiftedNorm'; readonly x: Node; readonly shift: Shift;
    }
  | {
      readonly op: 'biWkv'; readonly key: Node; readonly value: Node; readonly gate: Node | null;
      readonly decay: Parameter; readonly bonus: Parameter; readonly scan: Scan;
    }
  | { readonly op: 'elementwise'; readonly operation: Elementwise; readonly a: Node; readonly b: Node | Parameter | null }
  | { readonly op: 'concat'; readonly a: Node; readonly b: Node }
  | { readonly op: 'rearrange'; readonly direction: 'shuffle' | 'unshuffle'; readonly x: Node }
);
export type NodeOf<O extends Node['op']> = Extract<Node, { op: O }>;

/** Omni-Shift of a layer norm, which x goes through first. */
export interface Shift {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly kernel: Parameter;
}

/** One weight matrix of a linear, its columns scaled by `scale`; its output squared after relu or not. */
export interface LinearPart {
  readonly weight: Parameter;
  readonly scale: Parameter | null;
  readonly squaredRelu: boolean;
}

/** What a program computes with while it is being recorded. */
export type Handle = Node | Parameter;

/** The activations that a node reads, as [field, node]. */
export function operands(node: Node): [string, Node][] {
  const fields = ['x', 'key', 'value', 'a', 'b', 'gate', 'residual'] as const;
  const found: [string, Node][] = [];
  for (const field of fields) {
    const operand = (node as Partial<Record<(typeof fields)[number], Handle | null>>)[field];
    if (operand && operand.op !== 'parameter') found.push([field, operand]);
  }
  return found;
}

/** All nodes that the output needs, each after its operands, in recorded order. */
export function schedule(output: Node): Node[] {
  const seen = new Set<Node>();
  const pending = [output];
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const [, operand] of operands(node)) pending.push(operand);
  }
  return [...seen].sort((a, b) => a.order - b.order);
}

/** Records a program over `Ops` as nodes, checking shapes as it goes. */
export function recordingOps(): Ops<Handle> & { input(name: string, shape: ImageShape): Node } {
  let order = 0;
  const next = () => ({ order: order++ });

  return {
    input: (name, shape) => ({ ...next(), op: 'input', name, shape }),
    conv(x, weight, bias) {
      const [image, kernel] = [activation(x, 'conv'), parameter(weight, 'conv', 4)];
      const [size, , inputs, outputs] = kernel.shape as ImageShape;
      expectChannels('conv', image, inputs);
      const shape = withChannels(image, outputs);
      const offset = bias && parameter(bias, 'conv', 1);
      if (size === 1) {
        const parts = [{ weight: kernel, scale: null, squaredRelu: false }];
        return { ...next(), op: 'linear', shape, x: image, parts, bias: offset, gate: null, residual: null, shift: null };
      }
      if (size !== 3) throw new ShapeError(`conv: kernel ${kernel.shape.join('×')} of ${kernel.path}; expected 3×3 or 1×1`);
      return { ...next(), op: 'conv', shape, x: image, weight: kernel, bias: offset, rearrange: 'none', residual: null };
    },
    linear(x, weight) {
      const [image, matrix] = [activation(x, 'linear'), parameter(weight, 'linear', 2)];
      expectChannels('linear', image, matrix.shape[0]!);
      return {
        ...next(), op: 'linear', shape: withChannels(image, matrix.shape[1]!), x: image,
        parts: [{ weight: matrix, scale: null, squaredRelu: false }], bias: null, gate: null, residual: null, shift: null,
      };
    },
    layerNorm(x, weight, bias) {
      const image = activation(x, 'layerNorm');
      const [scale, offset] = [parameter(weight, 'layerNorm', 1), parameter(bias, 'layerNorm', 1)];
      expectChannels('layerNorm', image, scale.shape[0]!);
      return { ...next(), op: 'layerNorm', shape: image.shape, x: image, weight: scale, bias: offset };
    },
    omniShift(x, kernel) {
      const [image, taps] = [activation(x, 'omniShift'), parameter(kernel, 'omniShift', 3)];
      expectChannels('omniShift', image, taps.shape[2]!);
      return { ...next(), op: 'omniShift', shape: image.shape, x: image, kernel: taps };
    },
    biWkv(key, value, decay, bonus, scan) {
      const [k, v] = [activation(key, 'biWkv'), activation(value, 'biWkv')];
      expectSame('biWkv', k, v);
      const [w, u] = [parameter(decay, 'biWkv', 1), parameter(bonus, 'biWkv', 1)];
      expectChannels('biWkv', k, w.shape[0]!);
      return { ...next(), op: 'biWkv', shape: k.shape, key: k, value: v, gate: null, decay: w, bonus: u, scan };
    },
    add(a, b) {
      const [left, right] = [activation(a, 'add'), activation(b, 'add')];
      expectSame('add', left, right);
      return { ...next(), op: 'elementwise', operation: 'add', shape: left.shape, a: left, b: right };
    },
    mul(a, b) {
      const left = activation(a, 'mul');
      if (b.op === 'parameter') {
        expectChannels('mul', left, b.shape[0]!);
        return { ...next(), op: 'elementwise', operation: 'scale', shape: left.shape, a: left, b };
      }
      expectSame('mul', left, b);
      return { ...next(), op: 'elementwise', operation: 'mul', shape: left.shape, a: left, b };
    },
    sigmoid(x) {
      const a = activation(x, 'sigmoid');
      return { ...next(), op: 'elementwise', operation: 'sigmoid', shape: a.shape, a, b: null };
    },
    squaredRelu(x) {
      const a = activation(x, 'squaredRelu');
      return { ...next(), op: 'elementwise', operation: 'squaredRelu', shape: a.shape, a, b: null };
    },
    concat(a, b) {
      const [left, right] = [activation(a, 'concat'), activation(b, 'concat')];
      expectSame('concat', left, { ...right, shape: withChannels(right, left.shape[3]) });
      return { ...next(), op: 'concat', shape: withChannels(left, left.shape[3] + right.shape[3]), a: left, b: right };
    },
    pixelShuffle(x) {
      const image = activation(x, 'pixelShuffle');
      const [n, h, w, c] = image.shape;
      if (c % 4 !== 0) throw new ShapeError(`pixelShuffle: ${c} channels; expected a multiple of 4`);
      return { ...next(), op: 'rearrange', direction: 'shuffle', shape: [n, 2 * h, 2 * w, c / 4], x: image };
    },
    pixelUnshuffle(x) {
      const image = activation(x, 'pixelUnshuffle');
      const [n, h, w, c] = image.shape;
      if (h % 2 !== 0 || w % 2 !== 0) throw new ShapeError(`pixelUnshuffle: ${h}×${w}; expected even height and width`);
      return { ...next(), op: 'rearrange', direction: 'unshuffle', shape: [n, h / 2, w / 2, 4 * c], x: image };
    },
  };
}

const withChannels = ({ shape: [n, h, w] }: Node, channels: number): ImageShape => [n, h, w, channels];

function activation(handle: Handle, operator: string): Node {
  if (handle.op === 'parameter') throw new ShapeError(`${operator}: ${handle.path} is a weight; expected an activation`);
  return handle;
}

function parameter(handle: Handle, operator: string, rank: number): Parameter {
  if (handle.op !== 'parameter') throw new ShapeError(`${operator}: got an activation where a weight belongs`);
  if (handle.shape.length !== rank) {
    throw new ShapeError(`${operator}: ${handle.path} has shape [${handle.shape.join(', ')}]; expected ${rank} dimensions`);
  }
  return handle;
}

function expectChannels(operator: string, x: Node, channels: number): void {
  if (x.shape[3] !== channels) {
    throw new ShapeError(`${operator}: the image has ${x.shape[3]} channels, the weight ${channels}`);
  }
}

function expectSame(operator: string, a: Node, b: Node): void {
  if (a.shape.some((size, i) => size !== b.shape[i])) {
    throw new ShapeError(`${operator}: shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}] differ`);
  }
}
