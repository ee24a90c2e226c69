import { parameters, type Config } from '../model/config.ts';
import { hashedName } from './seededHash.ts';
import { elementCount, type StateDict } from './tensor.ts';

/**
 * Weights that anyone can make anew from their names, in the scales of a trained network: what the golden vectors were
 * computed with. float64.
 */
export function hashedStateDict(config: Config, seed: number): StateDict {
  return new Map(
    parameters(config).map(({ name, shape }) => [name, { shape, data: hashedParameter(name, shape, seed) }]),
  );
}

/**
 * One parameter of `hashedStateDict`: a 32-bit hash of name, seed and element gives r in [−1, 1), which is scaled by
 * what the parameter is.
 *
 * @param name the state_dict key, or the key inside one block such as `att.key.weight`
 * @param shape PyTorch's
 */
export function hashedParameter(name: string, shape: readonly number[], seed: number): Float64Array {
  const base = hashedName(name) + Math.imul(seed, 0x85ebca6b);
  const { offset, scale } = distribution(name, shape);
  const values = new Float64Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) {
    let h = (base + Math.imul(i, 0x9e3779b9)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    h = (h ^ (h >>> 16)) >>> 0;
    values[i] = offset + scale(h / 2 ** 31 - 1);
  }
  return values;
}

function distribution(name: string, shape: readonly number[]): { offset: number; scale: (r: number) => number } {
  if (/(^|\.)(ln[12]\.weight|gamma[12])$/.test(name)) return { offset: 1, scale: (r) => 0.1 * r };
  if (/(^|\.)spatial_(decay|first)$/.test(name)) return { offset: 0, scale: (r) => 2 * r };
  if (/(^|\.)alpha$/.test(name)) return { offset: 0.5, scale: (r) => 0.5 * r };
  if (/(^|\.)bias$/.test(name)) return { offset: 0, scale: (r) => 0.1 * r };
  const fanIn = Math.sqrt(elementCount(shape.slice(1)));
  return { offset: 0, scale: (r) => r / fanIn };
}
