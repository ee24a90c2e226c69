import type { Config } from '../model/config.ts';
import { parameters } from '../model/config.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { fuse } from './fuse.ts';
import type { Node, Parameter } from './graph.ts';
import { recordingOps, schedule } from './graph.ts';

/**
 * Multiply-accumulates of one image through the network's convolutions, linears and merged Omni-Shifts, as the paper
 * counts them; layer norms, gates and Bi-WKV are left out.
 */
export function countMacs(config: Config, height: number, width: number): number {
  const ops = recordingOps();
  const shapes = networkShapes(config);
  const lookup = (path: string): Parameter => ({ op: 'parameter', path, shape: shapes.get(path)! });
  const output = restoreRwkv(ops, lookup, config, ops.input('image', [1, height, width, 1])) as Node;
  return schedule(fuse(output)).reduce((sum, node) => sum + macs(node), 0);
}

function macs(node: Node): number {
  const [batch, height, width] = node.shape;
  const pixels = batch * height * width;
  const size = ({ shape }: Parameter) => shape.reduce((a, b) => a * b, 1);
  switch (node.op) {
    case 'linear': return pixels * node.parts.reduce((sum, { weight }) => sum + size(weight), 0);
    case 'omniShift': return pixels * size(node.kernel);
    case 'conv': return node.x.shape[0] * node.x.shape[1] * node.x.shape[2] * size(node.weight);
    default: return 0;
  }
}

/** Shapes of the parameters in the layouts of `Ops`. */
function networkShapes(config: Config): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of parameters(config)) {
    if (name.endsWith('.omni_shift.conv5x5.weight')) {
      shapes.set(name.slice(0, name.indexOf('.conv5x5')), [5, 5, shape[0]!]);
    } else if (/\.spatial_(decay|first)$/.test(name)) {
      for (let j = 0; j < shape[0]!; j++) shapes.set(`${name}.${j}`, [shape[1]!]);
    } else if (shape.length === 4) {
      shapes.set(name, [shape[2]!, shape[3]!, shape[1]!, shape[0]!]);
    } else {
      shapes.set(name, [...shape].reverse());
    }
  }
  return shapes;
}
