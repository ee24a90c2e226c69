import { parameters, type Config } from '../model/config.ts';
import { hashedName, hashedUniform } from './seededHash.ts';
import { elementCount, type StateDict } from './tensor.ts';

/**
 * Weights of a network that has learnt nothing, distributed as the public PyTorch code begins: convolutions, linears and
 * their biases uniform in ±1/√fan_in (PyTorch's default for both); layer norms 1 and 0; gamma 1; alpha, decay and bonus
 * of standard normal distribution. Each value depends on the seed, its parameter's name and its place alone. float32.
 */
export function initialStateDict(config: Config, seed: number): StateDict {
  const list = parameters(config);
  const shapes = new Map(list.map(({ name, shape }) => [name, shape]));
  return new Map(list.map(({ name, shape }) => {
    const value = distribution(name, shape, shapes.get(name.replace(/\.bias$/, '.weight')) ?? shape);
    const at = hashedName(name);
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) =>
      value(hashedUniform(seed, at, i, 0), () => hashedUniform(seed, at, i, 1)));
    return [name, { shape, data }];
  }));
}

/** From a uniform number, and another one where that is needed, to a parameter's value. */
type Distribution = (uniform: number, another: () => number) => number;

function distribution(name: string, shape: readonly number[], weightShape: readonly number[]): Distribution {
  if (/\.(ln[12]\.weight|gamma[12])$/.test(name)) return () => 1;
  if (/\.ln[12]\.bias$/.test(name)) return () => 0;
  if (/\.(alpha|spatial_decay|spatial_first)$/.test(name)) return normal;
  const bound = 1 / Math.sqrt(elementCount((name.endsWith('.bias') ? weightShape : shape).slice(1)));
  return (uniform) => bound * (2 * uniform - 1);
}

/** Box and Muller 1958. */
const normal: Distribution = (uniform, another) =>
  Math.sqrt(-2 * Math.log(uniform)) * Math.cos(2 * Math.PI * another());
