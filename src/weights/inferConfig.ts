import { stages, type Config } from '../model/config.ts';
import { printableShape, WeightsError } from './errors.ts';

/** Wider and deeper than anything published by an order of magnitude; memory for a plan stays bounded. */
const MAX_DIM = 1024;
const MAX_BLOCKS = 64;
const MAX_RECURRENCE = 16;

/**
 * The configuration that a state_dict's shapes describe: C from `patch_embed.weight`, blocks and refinement by counting
 * indices, the recurrence from the rows of the first `spatial_decay`. Only what the configuration needs is looked at.
 *
 * @throws WeightsError where the shapes describe no Restore-RWKV
 */
export function inferConfig(shapes: ReadonlyMap<string, readonly number[]>): Config {
  const dim = inferDim(shapes);
  const count = (stage: string) => countBlocks(shapes, stage);
  const config: Config = {
    dim,
    blocks: [count('encoder_level1'), count('encoder_level2'), count('encoder_level3'), count('latent')],
    refinement: count('refinement'),
    recurrence: inferRecurrence(shapes),
  };
  for (const { name, blocks } of stages(config)) {
    const found = count(name);
    if (found !== blocks) {
      throw new WeightsError(
        `weights: ${name} has ${found} blocks, expected ${blocks} as in ${name.replace('decoder', 'encoder')}; ` +
          'load a complete checkpoint of Restore-RWKV',
      );
    }
  }
  return config;
}

function shapeOf(shapes: ReadonlyMap<string, readonly number[]>, name: string): readonly number[] {
  const shape = shapes.get(name);
  if (shape !== undefined) return shape;
  throw new WeightsError(
    `weights: ${name} is missing among ${shapes.size} tensors; load a complete checkpoint of Restore-RWKV`,
  );
}

function inferDim(shapes: ReadonlyMap<string, readonly number[]>): number {
  const shape = shapeOf(shapes, 'patch_embed.weight');
  const [dim, channels, height, width] = shape;
  if (shape.length !== 4 || channels !== 1 || height !== 3 || width !== 3) {
    throw new WeightsError(
      `weights: patch_embed.weight has shape ${printableShape(shape)}, expected [C, 1, 3, 3]; ` +
        'load a Restore-RWKV for images of one channel',
    );
  }
  if (dim < 2 || dim > MAX_DIM || dim % 2 !== 0) {
    throw new WeightsError(
      `weights: patch_embed.weight gives ${dim} channels, expected an even number from 2 to ${MAX_DIM}; ` +
        'load a checkpoint of Restore-RWKV',
    );
  }
  return dim;
}

function countBlocks(shapes: ReadonlyMap<string, readonly number[]>, stage: string): number {
  let count = 0;
  for (const name of shapes.keys()) {
    if (!name.startsWith(`${stage}.`)) continue;
    const index = /^\d+(?=\.)/.exec(name.slice(stage.length + 1));
    if (index !== null) count = Math.max(count, Number(index[0]) + 1);
  }
  if (count >= 1 && count <= MAX_BLOCKS) return count;
  throw new WeightsError(
    `weights: ${stage} has ${count} blocks, expected 1 to ${MAX_BLOCKS}; load a complete checkpoint of Restore-RWKV`,
  );
}

function inferRecurrence(shapes: ReadonlyMap<string, readonly number[]>): number {
  const name = 'encoder_level1.0.att.spatial_decay';
  const shape = shapeOf(shapes, name);
  const [recurrence] = shape;
  if (shape.length === 2 && recurrence >= 1 && recurrence <= MAX_RECURRENCE) return recurrence;
  throw new WeightsError(
    `weights: ${name} has shape ${printableShape(shape)}, expected [recurrence, C] with a recurrence of 1 to ` +
      `${MAX_RECURRENCE}; load a checkpoint of Restore-RWKV`,
  );
}
