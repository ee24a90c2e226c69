import { FULL, LIGHT, type Config } from '../model/config.ts';
import type { Program } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import { wholeTensor } from './compare.ts';
import { given, gradientsOf } from './gradients.ts';
import type { Tensors } from './subject.ts';
import type { VectorFile } from './vectors.ts';

const CONFIGS: Readonly<Record<string, Config>> = { light: LIGHT, full: FULL };

/** Gives the hashed weights of a variant, the same Map for the same variant and seed so that they are made once. */
export type HashedWeights = (config: Config, seed: number) => Tensors;

/** Makes weights when they are first asked for and keeps only the latest network's: the full one's take 220 MB. */
export function hashedWeightsCache(): HashedWeights {
  let latest: { config: Config; seed: number; weights: Tensors } | null = null;
  return (config, seed) => {
    if (latest?.config !== config || latest.seed !== seed) {
      latest = { config, seed, weights: toNetworkWeights(hashedStateDict(config, seed), config).tensors };
    }
    return latest.weights;
  };
}

/** Whole networks: `light.NAME.{x,y}` and `full.NAME.{x,y}`, (H, W) in [0, 1], hashed weights of the file's seed. */
export function networkCases(file: VectorFile, hashedWeights: HashedWeights): Case[] {
  return file.matches(/^((light|full)\.(?:.+\.)?)x$/).map(([group, variant]) => {
    const x = file.take(`${group}x`, [null, null]);
    const y = image(file.take(`${group}y`, x.shape));
    const config = CONFIGS[variant];
    const seed = file.seed();
    return {
      file: file.name, name: group.slice(0, -1), kind: 'network', needs: 'forward',
      run: async (subject) => {
        const weights = hashedWeights(config, seed);
        const got = await subject.evaluate(networkProgram(config), new Map([['x', image(x)]]), weights);
        return [wholeTensor(`${group}y`, got, y)];
      },
    };
  });
}

/**
 * Effective receptive field of the light network: images `x1`, `x2`, … (H, W), `mean_map`, the mean over them of
 * relu(∂ relu(y[⌊H/2⌋, ⌊W/2⌋]) / ∂x), and `display` = mean_map^¼ / max.
 */
export function erfCases(file: VectorFile, hashedWeights: HashedWeights): Case[] {
  return file.matches(/^(|.*\.)mean_map$/).map(([group]) => {
    const meanMap = file.take(`${group}mean_map`, [null, null]);
    const display = file.take(`${group}display`, meanMap.shape);
    const escaped = group.replaceAll('.', '\\.');
    const names = file.matches(new RegExp(`^${escaped}(x\\d+)$`)).map(([name]) => name);
    const images = names.map((name) => image(file.take(`${group}${name}`, meanMap.shape)));
    if (images.length === 0) throw file.refuse(`${group}mean_map is there but no image ${group}x1`);
    const seed = file.seed();
    return {
      file: file.name, name: `${group}erf`, kind: 'erf', needs: 'gradients',
      run: async (subject) => {
        const map = new Float64Array(meanMap.data.length);
        for (const x of images) {
          const { gradients } = await gradientsOf(
            subject, networkProgram(LIGHT), new Map([['x', x]]), hashedWeights(LIGHT, seed), reluOfCentre,
          );
          given(gradients, 'x').data.forEach((g, at) => (map[at] += Math.max(0, g) / images.length));
        }
        const roots = map.map((value) => value ** 0.25);
        const largest = roots.reduce((max, value) => Math.max(max, value), 0);
        return [
          wholeTensor(`${group}mean_map`, { shape: meanMap.shape, data: map }, meanMap),
          wholeTensor(`${group}display`, { shape: meanMap.shape, data: roots.map((v) => v / largest) }, display),
        ];
      },
    };
  });
}

/** The network of a configuration, on the image `x`. */
export function networkProgram(config: Config): Program {
  return (ops, input) => restoreRwkv(ops, input, config, input('x'));
}

/** The gradient of relu(y[⌊H/2⌋, ⌊W/2⌋]): one at the centre if y is positive there. */
function reluOfCentre({ shape, data }: StoredTensor): StoredTensor {
  const [, h, w] = shape;
  const centre = Math.floor(h / 2) * w + Math.floor(w / 2);
  const gradient = new Float64Array(data.length);
  gradient[centre] = data[centre] > 0 ? 1 : 0;
  return { shape, data: gradient };
}

/** (H, W) → [1, H, W, 1] */
function image({ shape, data }: StoredTensor): StoredTensor {
  const [h, w] = shape;
  return { shape: [1, h, w, 1], data };
}
