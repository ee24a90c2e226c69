import { describe, expect, it } from 'vitest';
import { parameters, type Config } from '../model/config.ts';
import { WeightsError } from './errors.ts';
import { hashedStateDict } from './hashedWeights.ts';
import { toNetworkWeights } from './networkWeights.ts';
import { fromTrainable, toTrainable } from './trainableWeights.ts';

const ODD: Config = { dim: 6, blocks: [1, 1, 2, 1], refinement: 1, recurrence: 3 };

describe('weights as they are trained', () => {
  const stateDict = hashedStateDict(ODD, 5);

  it('come back as they were, in PyTorch\'s shapes and order', () => {
    const back = fromTrainable(toTrainable(stateDict, ODD), ODD);
    expect([...back.keys()]).toEqual(parameters(ODD).map(({ name }) => name));
    for (const [name, tensor] of stateDict) {
      expect(back.get(name)?.shape, name).toEqual(tensor.shape);
      expect(Float64Array.from(back.get(name)!.data), name)
        // Passes of a decay are joined in float32, as training has them.
        .toEqual(/spatial_/.test(name) ? Float64Array.from(Float32Array.from(tensor.data)) : tensor.data);
    }
  });

  it('are what the network runs with, but for the branches of Omni-Shift', () => {
    const trainable = toTrainable(stateDict, ODD);
    const { tensors } = toNetworkWeights(stateDict, ODD);
    for (const [path, tensor] of tensors) {
      if (path.endsWith('.omni_shift')) expect(trainable.get(`${path}.conv3x3.weight`)?.shape[0]).toBe(tensor.shape[2]);
      else expect(trainable.get(path), path).toEqual(tensor);
    }
    const branches = [...trainable.keys()].filter((path) => path.includes('.omni_shift.'));
    expect(branches).toHaveLength(4 * [...tensors.keys()].filter((path) => path.endsWith('.omni_shift')).length);
    for (const branch of branches) expect(trainable.get(branch)).toEqual(stateDict.get(branch));
  });

  it('leave out on the way back what is not given', () => {
    const some = new Map([...toTrainable(stateDict, ODD)].filter(([path]) => path.startsWith('latent.0.att')));
    some.delete('latent.0.att.spatial_first.2');
    const names = [...fromTrainable(some, ODD).keys()];
    expect(names).toContain('latent.0.att.spatial_decay');
    expect(names).not.toContain('latent.0.att.spatial_first');
    expect(names.every((name) => name.startsWith('latent.0.att'))).toBe(true);
  });

  it('are refused where a parameter is missing or of another size, by name', () => {
    const short = new Map(stateDict).set('output.bias', { shape: [2], data: new Float32Array(2) });
    expect(() => toTrainable(short, ODD)).toThrow(/output\.bias has 2 elements, expected 1/);
    short.delete('output.bias');
    expect(() => toTrainable(short, ODD)).toThrow(WeightsError);
  });
});
