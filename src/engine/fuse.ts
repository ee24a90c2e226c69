import type { Handle, LinearPart, Node, NodeOf } from './graph.ts';
import { operands, schedule } from './graph.ts';

/** A rewrite of one node whose operands were rewritten already; null where it does not apply. */
export type Rule = (node: Node, onlyUser: (operand: Node) => boolean) => Node | null;

/**
 * Rebuilds the graph bottom-up, offering every node to every rule until none applies.
 *
 * @returns the new output; the old graph is untouched
 */
export function rewrite(output: Node, rules: readonly Rule[]): Node {
  const nodes = schedule(output);
  const uses = new Map<Node, number>([[output, 1]]);
  for (const node of nodes) for (const [, operand] of operands(node)) uses.set(operand, (uses.get(operand) ?? 0) + 1);

  const rebuilt = new Map<Node, Node>();
  const usesOfRebuilt = new Map<Node, number>();
  const onlyUser = (operand: Node) => usesOfRebuilt.get(operand) === 1;
  for (const old of nodes) {
    const changed = operands(old).map(([field, operand]) => [field, rebuilt.get(operand)!] as const);
    let node: Node = { ...old, ...Object.fromEntries(changed) };
    for (let i = 0; i < rules.length; i++) {
      const better = rules[i]!(node, onlyUser);
      if (!better) continue;
      node = better;
      i = -1;
    }
    rebuilt.set(old, node);
    usesOfRebuilt.set(node, uses.get(old)!);
  }
  return rebuilt.get(output)!;
}

const isElementwise = (node: Handle | null, operation: string): node is NodeOf<'elementwise'> =>
  node?.op === 'elementwise' && node.operation === operation;

const pairs = <T>(a: T, b: T): [T, T][] => [[a, b], [b, a]];

/** x·W ⊙ γ → x·(W γ): the layer scale becomes part of the weight. */
export const foldScale: Rule = (node, onlyUser) => {
  if (!isElementwise(node, 'scale') || node.b?.op !== 'parameter') return null;
  const { a: linear, b: scale, order } = node;
  if (linear.op !== 'linear' || !onlyUser(linear) || linear.residual || linear.bias) return null;
  const [part, ...others] = linear.parts;
  if (!part || others.length > 0 || part.scale || part.squaredRelu) return null;
  return { ...linear, order, parts: [{ ...part, scale }] };
};

/** sigmoid(r) ⊙ linear(x), sigmoid(r) ⊙ biWkv(k, v): the gate is applied as the result is written (eqs. 4 and 7). */
export const fuseGate: Rule = (node, onlyUser) => {
  if (!isElementwise(node, 'mul') || node.b === null || node.b.op === 'parameter') return null;
  for (const [gate, target] of pairs(node.a, node.b)) {
    if (!isElementwise(gate, 'sigmoid') || !onlyUser(gate) || !onlyUser(target)) continue;
    if (target.op === 'linear' && !target.gate && !target.residual && !target.bias) return { ...target, order: node.order, gate: gate.a };
    if (target.op === 'biWkv' && !target.gate) return { ...target, order: node.order, gate: gate.a };
  }
  return null;
};

/** relu(linear(x))²: squared as it is written (eq. 6). */
export const fuseSquaredRelu: Rule = (node, onlyUser) => {
  if (!isElementwise(node, 'squaredRelu')) return null;
  const { a: linear, order } = node;
  if (linear.op !== 'linear' || !onlyUser(linear) || linear.gate || linear.residual || linear.bias || linear.parts.length !== 1) return null;
  return { ...linear, order, parts: [{ ...linear.parts[0]!, squaredRelu: true }] };
};

/** x + linear(…), x + conv(…): added as the result is written. */
export const fuseResidual: Rule = (node, onlyUser) => {
  if (!isElementwise(node, 'add') || node.b === null || node.b.op === 'parameter') return null;
  for (const [residual, target] of pairs(node.a, node.b)) {
    if ((target.op !== 'linear' && target.op !== 'conv') || target.residual || !onlyUser(target)) continue;
    if (target.op === 'conv' && target.rearrange !== 'none') continue;
    return { ...target, order: node.order, residual };
  }
  return null;
};

/** Pixel-(un)shuffle of a convolution: an index map on its output. */
export const fuseRearrange: Rule = (node, onlyUser) => {
  if (node.op !== 'rearrange' || node.x.op !== 'conv' || !onlyUser(node.x)) return null;
  if (node.x.rearrange !== 'none' || node.x.residual) return null;
  return { ...node.x, order: node.order, shape: node.shape, rearrange: node.direction };
};

/**
 * sigmoid(x·R) ⊙ (relu(x·K)²·V) + residual, eqs. 5–7: one node, whose hidden channels need not be stored.
 *
 * @param widest channels that a token may have
 */
export const fuseChannelMix = (widest: number): Rule => (node, onlyUser) => {
  if (node.op !== 'linear' || node.bias || node.parts.length !== 1 || node.shape[3] > widest) return null;
  const { x: hidden, gate, residual, order, shape } = node;
  if (gate?.op !== 'linear' || hidden.op !== 'linear' || gate.x !== hidden.x || !onlyUser(gate) || !onlyUser(hidden)) return null;
  const [receptance, key, value] = [plainPart(gate), plainPart(hidden), node.parts[0]!];
  if (!receptance || !key || receptance.squaredRelu || !key.squaredRelu || value.squaredRelu) return null;
  return {
    op: 'channelMix', order, shape, x: hidden.x, receptance: receptance.weight, key: key.weight, valuePart: value, residual, shift: null,
  };
};

/** Omni-Shift of a layer norm that nothing else reads. */
export const fuseShiftedNorm: Rule = (node, onlyUser) => {
  if (node.op !== 'omniShift' || node.x.op !== 'layerNorm' || !onlyUser(node.x)) return null;
  const { x, weight, bias } = node.x;
  return { op: 'shiftedNorm', order: node.order, shape: node.shape, x, shift: { weight, bias, kernel: node.kernel } };
};

/**
 * Layer norm and Omni-Shift before projections, or before a channel mix, that nothing else reads: the shifted tokens need
 * not be stored.
 *
 * @param linear channels of a token that projections may have, `channelMix` those that a channel mix may have
 */
export const fuseShift = ({ linear, channelMix }: Fusion['shift']): Rule => (node, onlyUser) => {
  if ((node.op !== 'linear' && node.op !== 'channelMix') || node.shift) return null;
  if (node.x.op !== 'shiftedNorm' || !onlyUser(node.x)) return null;
  if (node.x.shape[3] > (node.op === 'linear' ? linear : channelMix)) return null;
  if (node.op === 'linear' && (node.gate || node.bias || node.residual || node.parts.some(({ squaredRelu }) => squaredRelu))) return null;
  return { ...node, x: node.x.x, shift: node.x.shift };
};

/** The one unscaled weight of a linear that is nothing else. */
function plainPart({ parts, bias, gate, residual }: NodeOf<'linear'>): LinearPart | null {
  const [part] = parts;
  return part && parts.length === 1 && !part.scale && !bias && !gate && !residual ? part : null;
}

/** Projections of one image (receptance, key, value) become one linear and slices of its output. */
export function joinProjections(output: Node): Node {
  const groups = new Map<Node, NodeOf<'linear'>[]>();
  for (const node of schedule(output)) {
    if (node.op !== 'linear' || node.gate || node.residual || node.bias) continue;
    groups.set(node.x, [...(groups.get(node.x) ?? []), node]);
  }
  const memberOf = new Map<number, NodeOf<'linear'>[]>();
  for (const group of groups.values()) if (group.length > 1) for (const node of group) memberOf.set(node.order, group);

  const joined = new Map<NodeOf<'linear'>[], Node>();
  return rewrite(output, [(node) => {
    const group = memberOf.get(node.order);
    if (!group || node.op !== 'linear' || node.parts.length !== 1) return null;
    const first = group[0]!;
    let whole = joined.get(group);
    if (!whole) {
      const parts: LinearPart[] = group.flatMap((member) => member.parts);
      if (parts.some(({ squaredRelu }, i) => squaredRelu && parts[i + 1]?.squaredRelu === false)) return null;
      const channels = group.reduce((sum, member) => sum + member.shape[3], 0);
      const [n, h, w] = node.shape;
      // Slices are views and cost no step, so the joint node may share the order of its first part.
      whole = { ...node, order: first.order - 0.5, shape: [n, h, w, channels], parts };
      joined.set(group, whole);
    }
    const part = group.findIndex((member) => member.order === node.order);
    return { op: 'slice', order: node.order, shape: node.shape, x: whole, part };
  }]);
}

/** What to fuse beyond what always pays. */
export interface Fusion {
  /** Layer norm and Omni-Shift as one. */
  readonly shiftedNorm: boolean;
  /** Channels up to which a channel mix is one node. */
  readonly channelMix: number;
  /** Channels up to which those two are a part of what reads them. */
  readonly shift: { readonly linear: number; readonly channelMix: number };
}

/** What needs no kernels of its own. */
const LEAST: Fusion = { shiftedNorm: false, channelMix: 0, shift: { linear: 0, channelMix: 0 } };

/** All that is fused. */
export function fuse(output: Node, { shiftedNorm, channelMix, shift }: Fusion = LEAST): Node {
  const blocks = rewrite(output, [foldScale, fuseGate, fuseSquaredRelu, fuseRearrange, fuseResidual]);
  const mixes = rewrite(blocks, [fuseChannelMix(channelMix), ...(shiftedNorm ? [fuseShiftedNorm] : [])]);
  return rewrite(joinProjections(mixes), [fuseShift(shift)]);
}
