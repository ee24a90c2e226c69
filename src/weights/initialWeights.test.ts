import { describe, expect, it } from 'vitest';
import { parameters, type Config } from '../model/config.ts';
import { initialStateDict } from './initialWeights.ts';

const CONFIG: Config = { dim: 12, blocks: [1, 2, 1, 1], refinement: 1, recurrence: 3 };

const data = (name: string, seed = 0) => initialStateDict(CONFIG, seed).get(name)!.data;
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: ArrayLike<number>) => {
  const centre = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - centre) ** 2)));
};

describe('a network that has learnt nothing', () => {
  it('has every parameter in its shape, finite, in float32', () => {
    const stateDict = initialStateDict(CONFIG, 7);
    expect([...stateDict].map(([name, { shape }]) => ({ name, shape }))).toEqual(parameters(CONFIG));
    for (const [name, { shape, data }] of stateDict) {
      expect(data, name).toBeInstanceOf(Float32Array);
      expect(data, name).toHaveLength(shape.reduce((product, n) => product * n, 1));
      expect(data.every(Number.isFinite), name).toBe(true);
    }
  });

  // PyTorch's kaiming_uniform_(a = √5) is uniform in ±√(6 / ((1 + 5) · fan_in)) = ±1/√fan_in, of deviation bound/√3.
  it.each([
    ['latent.0.att.key.weight', 96], ['latent.0.ffn.value.weight', 4 * 96], ['up4_3.body.0.weight', 96 * 9],
    ['reduce_chan_level3.weight', 96], ['latent.0.ffn.omni_shift.conv5x5.weight', 25],
  ])('draws %s uniformly within ±1/√fan_in', (name, fanIn) => {
    const values = data(name);
    const bound = 1 / Math.sqrt(fanIn);
    const scale = bound / Math.sqrt(3);
    expect(values.every((value) => Math.abs(value) <= bound)).toBe(true);
    // Four standard errors of a mean of n uniform numbers; the deviation's own is below scale/√n.
    expect(Math.abs(mean(values))).toBeLessThan((4 * scale) / Math.sqrt(values.length));
    expect(Math.abs(deviation(values) - scale)).toBeLessThan((4 * scale) / Math.sqrt(values.length));
  });

  it('gives biases the bound of their weights', () => {
    const bound = 1 / Math.sqrt(96);
    const values = data('reduce_chan_level3.bias');
    expect(values.every((value) => Math.abs(value) <= bound)).toBe(true);
    expect(deviation(values)).toBeGreaterThan(bound / 3);
  });

  it('begins with plain norms and gammas, and with normal decays, bonuses and alphas', () => {
    expect(data('latent.0.ln1.weight').every((value) => value === 1)).toBe(true);
    expect(data('latent.0.ln2.bias').every((value) => value === 0)).toBe(true);
    expect(data('latent.0.gamma2').every((value) => value === 1)).toBe(true);
    const all = [...initialStateDict(CONFIG, 0)]
      .filter(([name]) => /spatial_(decay|first)$|alpha$/.test(name)).flatMap(([, { data }]) => [...data]);
    // Standard errors of mean and deviation of n normal numbers: 1/√n and 1/√2n.
    expect(Math.abs(mean(all))).toBeLessThan(4 / Math.sqrt(all.length));
    expect(Math.abs(deviation(all) - 1)).toBeLessThan(4 / Math.sqrt(2 * all.length));
    expect(all.filter((value) => Math.abs(value) > 2).length / all.length).toBeCloseTo(0.0455, 1);
  });

  it('is another one for another seed and the same for the same', () => {
    expect(data('output.weight', 3)).toEqual(data('output.weight', 3));
    expect(data('output.weight', 3)).not.toEqual(data('output.weight', 4));
    expect(data('latent.0.att.key.weight').slice(0, 9)).not.toEqual(data('latent.0.att.value.weight').slice(0, 9));
  });
});
