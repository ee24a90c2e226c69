import { operands, type Node, type NodeOf } from '../../engine/graph.ts';

/** Nodes that are computed together, token by token of one grid, or one Bi-WKV, which needs all tokens at once. */
export type Group =
  | { readonly kind: 'tokens'; readonly height: number; readonly width: number; readonly nodes: readonly Node[] }
  | { readonly kind: 'scan'; readonly node: NodeOf<'biWkv'> };

type OpenGroup = Extract<Group, { kind: 'tokens' }> & { readonly nodes: Node[] };

/** Whether a token of the node needs other tokens of this operand than the one at its own place. */
export const needsNeighbours = (node: Node): boolean =>
  node.op === 'conv' || node.op === 'omniShift' || node.op === 'rearrange' || node.op === 'biWkv';

/** The border of zeros that a node wants around its operand. */
export const marginOf = (node: Node, field: string): number | null => {
  if (field !== 'x') return null;
  return node.op === 'omniShift' ? 2 : node.op === 'conv' ? (node.weight.shape[0]! - 1) / 2 : null;
};

/**
 * Scheduled nodes as groups that follow one another: a node goes with the one before it if both have the same grid, and
 * nothing whose neighbours it needs is computed in the same group.
 */
export function groupNodes(nodes: readonly Node[]): Group[] {
  const groups: Group[] = [];
  let open: OpenGroup | null = null;
  for (const node of nodes) {
    if (node.op === 'biWkv') {
      groups.push({ kind: 'scan', node });
      open = null;
      continue;
    }
    const [, height, width] = node.shape;
    const here: OpenGroup | null = open;
    const fits: boolean = here !== null && here.height === height && here.width === width && !operands(node).some(([field, operand]) =>
      here.nodes.includes(operand) && needsNeighbours(node) && field === 'x');
    if (here && fits) {
      here.nodes.push(node);
      continue;
    }
    open = { kind: 'tokens', height, width, nodes: [node] };
    groups.push(open);
  }
  return groups;
}
