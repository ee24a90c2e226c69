/** What distinguishes one Restore-RWKV from another; everything else follows from section 3 of the paper. */
export interface Config {
  /** C: channels after the patch embedding. */
  readonly dim: number;
  /** Blocks at encoder levels 1 to 3 (mirrored in the decoder) and in the latent. */
  readonly blocks: readonly [number, number, number, number];
  /** Blocks of the final refinement. */
  readonly refinement: number;
  /** Passes of Re-WKV in a block: rows, columns, rows, … (eq. 10). */
  readonly recurrence: number;
}

/** Edges of images are multiples of this: three levels halve them. */
export const EDGE_MULTIPLE = 8;

export const FULL: Config = { dim: 48, blocks: [4, 6, 6, 8], refinement: 4, recurrence: 2 };
export const LIGHT: Config = { dim: 12, blocks: [1, 3, 3, 5], refinement: 4, recurrence: 2 };
/** Not the paper's: small enough to see a whole training run in seconds. */
export const TINY: Config = { dim: 4, blocks: [1, 1, 1, 1], refinement: 1, recurrence: 2 };

/** `full` and `light` are the paper's; anything else that loads is a network of its own. */
export function variantName(config: Config): 'full' | 'light' | 'custom' {
  const same = (other: Config) => JSON.stringify(normalised(config)) === JSON.stringify(normalised(other));
  return same(FULL) ? 'full' : same(LIGHT) ? 'light' : 'custom';
}

const normalised = ({ dim, blocks, refinement, recurrence }: Config) => [dim, ...blocks, refinement, recurrence];

/** The stages that hold blocks, with their width as a multiple of `dim`, in the order in which they run. */
export function stages(config: Config): { name: string; width: number; blocks: number }[] {
  const [n1, n2, n3, n4] = config.blocks;
  return [
    { name: 'encoder_level1', width: config.dim, blocks: n1 },
    { name: 'encoder_level2', width: 2 * config.dim, blocks: n2 },
    { name: 'encoder_level3', width: 4 * config.dim, blocks: n3 },
    { name: 'latent', width: 8 * config.dim, blocks: n4 },
    { name: 'decoder_level3', width: 4 * config.dim, blocks: n3 },
    { name: 'decoder_level2', width: 2 * config.dim, blocks: n2 },
    { name: 'decoder_level1', width: 2 * config.dim, blocks: n1 },
    { name: 'refinement', width: 2 * config.dim, blocks: config.refinement },
  ];
}

/** A parameter of the checkpoint: PyTorch's name and shape. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

/** All trainable parameters under the names of the public checkpoints, in PyTorch's shapes, multi-branch Omni-Shift. */
export function parameters(config: Config): Parameter[] {
  const { dim, recurrence } = config;
  const list: Parameter[] = [];
  const push = (name: string, ...shape: number[]) => list.push({ name, shape });
  const omniShift = (prefix: string, c: number) => {
    push(`${prefix}.omni_shift.alpha`, 4);
    for (const k of [1, 3, 5]) push(`${prefix}.omni_shift.conv${k}x${k}.weight`, c, 1, k, k);
  };
  push('patch_embed.weight', dim, 1, 3, 3);
  push('patch_embed.bias', dim);
  for (const { name, width: c, blocks } of stages(config)) {
    for (let i = 0; i < blocks; i++) {
      const at = `${name}.${i}`;
      push(`${at}.gamma1`, c);
      push(`${at}.gamma2`, c);
      for (const ln of ['ln1', 'ln2']) {
        push(`${at}.${ln}.weight`, c);
        push(`${at}.${ln}.bias`, c);
      }
      push(`${at}.att.spatial_decay`, recurrence, c);
      push(`${at}.att.spatial_first`, recurrence, c);
      omniShift(`${at}.att`, c);
      for (const linear of ['key', 'value', 'receptance', 'output']) push(`${at}.att.${linear}.weight`, c, c);
      push(`${at}.ffn.key.weight`, 4 * c, c);
      omniShift(`${at}.ffn`, c);
      push(`${at}.ffn.receptance.weight`, c, c);
      push(`${at}.ffn.value.weight`, c, 4 * c);
    }
  }
  push('down1_2.body.0.weight', dim / 2, dim, 3, 3);
  push('down2_3.body.0.weight', dim, 2 * dim, 3, 3);
  push('down3_4.body.0.weight', 2 * dim, 4 * dim, 3, 3);
  push('up4_3.body.0.weight', 16 * dim, 8 * dim, 3, 3);
  push('up3_2.body.0.weight', 8 * dim, 4 * dim, 3, 3);
  push('up2_1.body.0.weight', 4 * dim, 2 * dim, 3, 3);
  push('reduce_chan_level3.weight', 4 * dim, 8 * dim, 1, 1);
  push('reduce_chan_level3.bias', 4 * dim);
  push('reduce_chan_level2.weight', 2 * dim, 4 * dim, 1, 1);
  push('reduce_chan_level2.bias', 2 * dim);
  push('output.weight', 1, 2 * dim, 3, 3);
  push('output.bias', 1);
  return list;
}
