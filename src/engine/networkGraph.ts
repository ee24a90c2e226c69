import type { Config } from '../model/config.ts';
import { parameters } from '../model/config.ts';
import { ShapeError } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import type { Fusion } from './fuse.ts';
import { fuse } from './fuse.ts';
import type { Node } from './graph.ts';
import { recordingOps } from './graph.ts';

/**
 * The network recorded and fused for one image.
 *
 * @param shapeOf the shape of a weight by its path, in the layouts of `Ops`
 */
export function networkGraph(
  config: Config, shapeOf: (path: string) => readonly number[], height: number, width: number,
  fusion?: Fusion,
): Node {
  const ops = recordingOps();
  const lookup = (path: string) => ({ op: 'parameter', path, shape: shapeOf(path) }) as const;
  const output = restoreRwkv(ops, lookup, config, ops.input('image', [1, height, width, 1]));
  if (output.op === 'parameter') throw new ShapeError('engine: the network returned a weight');
  return fuse(output, fusion);
}

/** Shapes of the weights that a configuration needs, by path, in the layouts of `Ops`. */
export function weightShapes(config: Config): Map<string, readonly number[]> {
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
