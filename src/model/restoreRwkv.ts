import type { Config } from './config.ts';
import type { Ops, WeightLookup } from './ops.ts';

/**
 * Restore-RWKV (arXiv 2407.11087, section 3): a four-level U-Net of R-RWKV blocks that adds a residual to its input.
 *
 * @param image [N, H, W, 1] in [0, 1], H and W multiples of 8
 * @returns the restored image, same shape
 */
export function restoreRwkv<T>(ops: Ops<T>, weights: WeightLookup<T>, config: Config, image: T): T {
  const [n1, n2, n3, n4] = config.blocks;
  const stage = (x: T, name: string, blocks: number) => {
    for (let i = 0; i < blocks; i++) x = block(ops, weights, `${name}.${i}`, config, x);
    return x;
  };
  const conv = (x: T, name: string) => ops.conv(x, weights(`${name}.weight`), weights(`${name}.bias`));
  const down = (x: T, name: string) => ops.pixelUnshuffle(ops.conv(x, weights(`${name}.body.0.weight`), null));
  const up = (x: T, name: string) => ops.pixelShuffle(ops.conv(x, weights(`${name}.body.0.weight`), null));

  // Encoder                                                                         height×width, channels
  const encoded1 = stage(conv(image, 'patch_embed'), 'encoder_level1', n1); //       H×W, C
  const encoded2 = stage(down(encoded1, 'down1_2'), 'encoder_level2', n2); //        /2, 2C
  const encoded3 = stage(down(encoded2, 'down2_3'), 'encoder_level3', n3); //        /4, 4C
  const latent = stage(down(encoded3, 'down3_4'), 'latent', n4); //                  /8, 8C

  // Decoder, skip connections on the right of each concat
  const skip3 = ops.concat(up(latent, 'up4_3'), encoded3); //                        /4, 8C
  const decoded3 = stage(conv(skip3, 'reduce_chan_level3'), 'decoder_level3', n3); // /4, 4C
  const skip2 = ops.concat(up(decoded3, 'up3_2'), encoded2); //                      /2, 4C
  const decoded2 = stage(conv(skip2, 'reduce_chan_level2'), 'decoder_level2', n2); // /2, 2C
  const skip1 = ops.concat(up(decoded2, 'up2_1'), encoded1); //                      H×W, 2C
  const decoded1 = stage(skip1, 'decoder_level1', n1); //                            H×W, 2C
  const refined = stage(decoded1, 'refinement', config.refinement); //               H×W, 2C

  return ops.add(image, conv(refined, 'output'));
}

/** R-RWKV block (section 3.2): spatial mix and channel mix, each normalised before and scaled after. x [N, H, W, C] */
export function block<T>(ops: Ops<T>, weights: WeightLookup<T>, at: string, config: Config, x: T): T {
  const norm = (x: T, name: string) => ops.layerNorm(x, weights(`${at}.${name}.weight`), weights(`${at}.${name}.bias`));
  x = ops.add(x, ops.mul(spatialMix(ops, weights, `${at}.att`, config, norm(x, 'ln1')), weights(`${at}.gamma1`)));
  x = ops.add(x, ops.mul(channelMix(ops, weights, `${at}.ffn`, norm(x, 'ln2')), weights(`${at}.gamma2`)));
  return x;
}

/** Spatial mix (eqs. 1–4) of the normalised tokens: Omni-Shift, receptance, key and value, Re-WKV, gate, output. */
export function spatialMix<T>(ops: Ops<T>, weights: WeightLookup<T>, at: string, config: Config, x: T): T {
  const linear = (x: T, name: string) => ops.linear(x, weights(`${at}.${name}.weight`));
  const shifted = ops.omniShift(x, weights(`${at}.omni_shift`));
  const receptance = linear(shifted, 'receptance');
  const key = linear(shifted, 'key');
  const value = linear(shifted, 'value');
  return linear(ops.mul(ops.sigmoid(receptance), reWkv(ops, weights, at, config, key, value)), 'output');
}

/** Re-WKV (eqs. 9–10): Bi-WKV passes by rows and by columns in turn, same keys, the value recurring. */
export function reWkv<T>(
  ops: Ops<T>, weights: WeightLookup<T>, at: string, config: Pick<Config, 'recurrence'>, key: T, value: T,
): T {
  for (let j = 0; j < config.recurrence; j++) {
    const decay = weights(`${at}.spatial_decay.${j}`);
    const bonus = weights(`${at}.spatial_first.${j}`);
    value = ops.biWkv(key, value, decay, bonus, j % 2 === 0 ? 'rows' : 'columns');
  }
  return value;
}

/** Channel mix (eqs. 5–7) of the normalised tokens, hidden width 4C. */
export function channelMix<T>(ops: Ops<T>, weights: WeightLookup<T>, at: string, x: T): T {
  const linear = (x: T, name: string) => ops.linear(x, weights(`${at}.${name}.weight`));
  const shifted = ops.omniShift(x, weights(`${at}.omni_shift`));
  const receptance = linear(shifted, 'receptance');
  const value = linear(ops.squaredRelu(linear(shifted, 'key')), 'value');
  return ops.mul(ops.sigmoid(receptance), value);
}
