import { describe, expect, it } from 'vitest';
import { autoWindow, windowPresets } from './window.ts';

const voxels = Float32Array.from({ length: 1000 }, (_, i) => ((i * 7919) % 1009) - 200);

describe('window presets', () => {
  it('start CT with the abdomen and offer lung, bone and brain in HU', () => {
    const presets = windowPresets('ct', voxels);
    expect(presets.map(({ name }) => name)).toEqual(['Abdomen', 'Lung', 'Bone', 'Brain', 'Auto']);
    expect(presets[0]).toEqual({ name: 'Abdomen', centre: 40, width: 400, inverted: false });
  });

  it('show PET dark where hot, from 0 to percentile 99.5 of its activity', () => {
    const [first, second] = windowPresets('pet', voxels);
    expect(first!.inverted).toBe(true);
    expect(second).toEqual({ ...first, name: 'Hot is white', inverted: false });
    expect(first!.centre - first!.width / 2).toBe(0);
    // numpy.percentile(z[z > 0], 99.5)
    expect(first!.width).toBeCloseTo(804, 6);
  });

  it('show MRI from percentile 1 to 99.5', () => {
    const { centre, width } = windowPresets('mri', voxels)[0]!;
    // numpy.percentile(z, [1, 99.5])
    expect(centre - width / 2).toBeCloseTo(-190.01, 6);
    expect(centre + width / 2).toBeCloseTo(803.005, 6);
  });

  it('show an image without a modality from minimum to maximum', () => {
    expect(autoWindow(null, Float32Array.of(0.25, NaN, 0.75))).toEqual({ centre: 0.5, width: 0.5, inverted: false });
  });

  it.each(['ct', 'pet', 'mri', null] as const)('never have a width of 0 or NaN: %s', (modality) => {
    for (const data of [Float32Array.of(0, 0), Float32Array.of(7), Float32Array.of(NaN), new Float32Array(0)]) {
      const { centre, width } = autoWindow(modality, data);
      expect(Number.isFinite(centre)).toBe(true);
      expect(width).toBeGreaterThan(0);
    }
  });
});
