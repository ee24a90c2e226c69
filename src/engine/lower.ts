import { biWkv, biWkvScratch } from '../kernels/biWkv.ts';
import { channelMix } from '../kernels/channelMix.ts';
import { conv } from '../kernels/conv.ts';
import { elementwise } from '../kernels/elementwise.ts';
import type { Dispatch, View } from '../kernels/kernel.ts';
import { bytesEach, lanesFor, wholeView } from '../kernels/kernel.ts';
import { layerNorm } from '../kernels/layerNorm.ts';
import { linear } from '../kernels/linear.ts';
import { omniShift } from '../kernels/omniShift.ts';
import { pixelShuffle } from '../kernels/pixelShuffle.ts';
import { shiftedLinear } from '../kernels/shiftedLinear.ts';
import { shiftedNorm } from '../kernels/shiftedNorm.ts';
import type { Variants } from '../kernels/variants.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { LinearPart, Node, Parameter, Shift } from './graph.ts';
import { operands, schedule } from './graph.ts';
import type { Packed } from './parameters.ts';
import { packConv, packLinear, packOmniShift, packVector } from './parameters.ts';

/** A buffer of the plan before it exists. Slots with contents are weights; the others hold activations. */
export interface Slot {
  /** 32-bit words; one holds two values stored as float16. */
  readonly floats: number;
  readonly weight: Packed | null;
  /** Inputs and the output keep a buffer of their own; everything else shares by liveness. */
  readonly own: boolean;
}

/** A program ready to be given buffers. */
export interface Lowered {
  readonly dispatches: readonly Dispatch<Slot>[];
  readonly inputs: ReadonlyMap<string, View<Slot>>;
  readonly output: View<Slot>;
}

/**
 * Turns a fused graph into dispatches over slots. Concatenations become views: their parts are written in place.
 *
 * @param lookup the weights' values (for what depends on them: the largest decay) and, later, contents
 */
export function lower(output: Node, lookup: (path: string) => StoredTensor, variants: Variants): Lowered {
  const nodes = schedule(output);
  const stored = (parameter: Parameter) => lookup(parameter.path);
  const scalar = imagesOfOneFloat(output, nodes);
  const views = new Map<Node, View<Slot>>();
  const weights = new Map<string, Slot>();
  const dispatches: Dispatch<Slot>[] = [];

  const weight = (packed: Packed): Slot => {
    let slot = weights.get(packed.key);
    if (!slot) weights.set(packed.key, (slot = { floats: packed.floats, weight: packed, own: false }));
    return slot;
  };
  const vector = (parameter: Parameter) => weight(packVector(parameter, stored));
  const shiftOf = ({ weight: scale, bias, kernel }: Shift) =>
    ({ weight: vector(scale), bias: vector(bias), kernel: weight(packOmniShift(kernel, stored)) });
  const allocate = (node: Node, lanes: number): View<Slot> => {
    const [batch, height, width, channels] = node.shape;
    const own = node === output || node.op === 'input';
    const elements = batch * height * width * lanes;
    const precision = lanes > 1 ? variants.precision : 'f32';
    const slot = { floats: (elements * bytesEach({ precision })) / 4, weight: null, own };
    return { ...wholeView<Slot>(slot, node.shape), channels, lanes, stride: lanes, precision };
  };

  // Where each concatenation's parts may be written in place, give them their range of its channels beforehand.
  const copies = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.op !== 'concat') continue;
    const whole = allocate(node, lanesFor(node.shape[3]));
    views.set(node, whole);
    const aligned = node.a.shape[3] % 4 === 0;
    for (const part of node.a === node.b ? [node.a] : [node.a, node.b]) {
      const offset = part === node.a ? 0 : node.a.shape[3];
      const inPlace = aligned && node.a !== node.b && !views.has(part) && ['conv', 'linear', 'channelMix'].includes(part.op);
      if (!inPlace || part.shape[3] % 4 !== 0) {
        copies.set(node, [...(copies.get(node) ?? []), part]);
        continue;
      }
      views.set(part, { ...whole, channels: part.shape[3], lanes: part.shape[3], offset });
    }
  }

  for (const node of nodes) {
    const at = (operand: Node) => views.get(operand)!;
    const y = views.get(node) ?? place(node);
    views.set(node, y);
    switch (node.op) {
      case 'input':
      case 'slice':
        break;
      case 'conv':
        dispatches.push(conv({
          x: at(node.x), weight: weight(packConv(node, stored)), bias: node.bias ? vector(node.bias) : undefined,
          residual: node.residual ? at(node.residual) : undefined, y, rearrange: node.rearrange,
        }, variants.conv));
        break;
      case 'linear':
        if (node.shift) {
          dispatches.push(shiftedLinear({
            x: at(node.x), shift: shiftOf(node.shift), weight: weight(packLinear(node.parts, stored)), y,
          }));
          break;
        }
        dispatches.push(linear({
          x: at(node.x), weight: weight(packLinear(node.parts, stored)), gate: node.gate ? at(node.gate) : undefined,
          bias: node.bias ? vector(node.bias) : undefined, residual: node.residual ? at(node.residual) : undefined,
          y, squaredFrom: squaredFrom(node.parts),
        }, variants.linear));
        break;
      case 'channelMix': {
        const hidden = lanesFor(node.key.shape[1]!);
        const plain = (weight: Parameter): LinearPart => ({ weight, scale: null, squaredRelu: false });
        dispatches.push(channelMix({
          x: at(node.x), inward: weight(packLinear([plain(node.receptance), plain(node.key)], stored)), hidden,
          shift: node.shift ? shiftOf(node.shift) : undefined,
          outward: weight(packLinear([node.valuePart], stored)), residual: node.residual ? at(node.residual) : undefined, y,
        }, variants.channelMix!));
        break;
      }
      case 'layerNorm':
        dispatches.push(layerNorm(
          { x: at(node.x), weight: vector(node.weight), bias: vector(node.bias), y }, variants.layerNorm,
        ));
        break;
      case 'omniShift':
        dispatches.push(omniShift(
          { x: at(node.x), kernel: weight(packOmniShift(node.kernel, stored)), y }, variants.omniShift,
        ));
        break;
      case 'shiftedNorm':
        dispatches.push(shiftedNorm({ x: at(node.x), shift: shiftOf(node.shift), y }));
        break;
      case 'biWkv': {
        const largestDecay = largestMagnitude(stored(node.decay).data);
        const scratch = biWkvScratch(y, largestDecay, variants.biWkv);
        const slot = (floats: number): Slot => ({ floats, weight: null, own: false });
        dispatches.push(...biWkv({
          key: at(node.key), value: at(node.value), gate: node.gate ? at(node.gate) : undefined, y,
          decay: vector(node.decay), bonus: vector(node.bonus), scan: node.scan, largestDecay,
          states: slot(scratch.states), carries: slot(scratch.carries),
        }, variants.biWkv));
        break;
      }
      case 'elementwise': {
        const b = node.b === null ? {} : node.b.op === 'parameter' ? { scale: vector(node.b) } : { b: at(node.b) };
        dispatches.push(elementwise(node.operation, { a: at(node.a), ...b, y }));
        break;
      }
      case 'concat':
        for (const part of copies.get(node) ?? []) dispatches.push(...copyInto(node, part, at(part), y));
        break;
      case 'rearrange':
        dispatches.push(pixelShuffle(node.direction, { x: at(node.x), y }));
        break;
    }
  }

  function place(node: Node): View<Slot> {
    if (node.op === 'slice') {
      const whole = views.get(node.x)!;
      const parts = node.x.op === 'linear' ? node.x.parts : [];
      const offset = widthOf(parts.slice(0, node.part));
      return { ...whole, channels: node.shape[3], lanes: lanesFor(node.shape[3]), offset: whole.offset + offset };
    }
    if (node.op === 'linear') return allocate(node, widthOf(node.parts));
    return allocate(node, scalar.has(node) ? 1 : lanesFor(node.shape[3]));
  }

  const inputs = nodes.filter((node) => node.op === 'input').map((node) => [node.name, views.get(node)!] as const);
  return { dispatches, inputs: new Map(inputs), output: views.get(output)! };
}

const widthOf = (parts: readonly LinearPart[]) =>
  parts.reduce((sum, { weight }) => sum + lanesFor(weight.shape.at(-1)!), 0);

/** The lane from which a linear's output is squared: its squared parts come last. */
function squaredFrom(parts: readonly LinearPart[]): number | undefined {
  const first = parts.findIndex(({ squaredRelu }) => squaredRelu);
  return first < 0 ? undefined : widthOf(parts.slice(0, first));
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

/** A part of a concatenation that could not be written in place; the second also clears the padding channels. */
function copyInto(concat: Node, part: Node, x: View<Slot>, y: View<Slot>): Dispatch<Slot>[] {
  if (concat.op !== 'concat') return [];
  const range = (offset: number, lanes: number) => ({ ...y, channels: part.shape[3], lanes, offset: y.offset + offset });
  const first = part === concat.a ? [pixelShuffle('copy', { x, y: range(0, part.shape[3]) })] : [];
  const start = concat.a.shape[3];
  const second = part === concat.b ? [pixelShuffle('copy', { x, y: range(start, y.lanes - start) })] : [];
  return [...first, ...second];
}

/** Images of one channel that can be stored as one float a pixel: read by convolutions, or the network's result. */
function imagesOfOneFloat(output: Node, nodes: readonly Node[]): Set<Node> {
  const isResult = (node: Node) =>
    node === output && node.op === 'conv' && node.shape[3] === 1 && node.rearrange === 'none';
  const found = new Set(nodes.filter((node) => node.op === 'input' && node.shape[3] === 1));
  for (const node of nodes) {
    for (const [field, operand] of operands(node)) {
      const fits = node.op === 'conv' && (field === 'x' || isResult(node));
      if (!fits) found.delete(operand);
    }
  }
  if (isResult(output) && output.op === 'conv' && (!output.residual || found.has(output.residual))) found.add(output);
  return found;
}
