import type { Config } from '../model/config.ts';
import type { Node, Parameter } from './graph.ts';
import { schedule } from './graph.ts';
import { networkGraph, weightShapes } from './networkGraph.ts';

/**
 * Multiply-accumulates of one image through the network's convolutions, linears and merged Omni-Shifts, as the paper
 * counts them; layer norms, gates and Bi-WKV are left out.
 */
export function countMacs(config: Config, height: number, width: number): number {
  const shapes = weightShapes(config);
  const output = networkGraph(config, (path) => shapes.get(path)!, height, width);
  return schedule(output).reduce((sum, node) => sum + macs(node), 0);
}

function macs(node: Node): number {
  const [batch, height, width] = node.shape;
  const pixels = batch * height * width;
  const size = (weight?: Parameter) => (weight ? weight.shape.reduce((a, b) => a * b, 1) : 0);
  switch (node.op) {
    case 'linear': return pixels * node.parts.reduce((sum, { weight }) => sum + size(weight), size(node.shift?.kernel));
    case 'channelMix':
      return pixels * (size(node.receptance) + size(node.key) + size(node.valuePart.weight) + size(node.shift?.kernel));
    case 'omniShift': return pixels * size(node.kernel);
    case 'shiftedNorm': return pixels * size(node.shift.kernel);
    case 'conv': return node.x.shape[0] * node.x.shape[1] * node.x.shape[2] * size(node.weight);
    default: return 0;
  }
}
