import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { mergeOmniShiftGradient } from './mergeOmniShift.gradient.ts';
import { mergeOmniShift as reference, mergeOmniShiftGradient as referenceGradient } from './mergeOmniShift.reference.ts';
import { mergeOmniShift } from './mergeOmniShift.ts';

const NAMES = ['alpha', 'conv1x1', 'conv3x3', 'conv5x5'] as const;
const branches = { alpha: 'alpha', conv1x1: 'conv1x1', conv3x3: 'conv3x3', conv5x5: 'conv5x5' };

/** Values of float32, so that the reference computes from the same. */
const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

const seededBranches = (c: number) => ({
  alpha: rounded(noise([4], 1)),
  conv1x1: rounded(noise([c, 1, 1, 1], 2)),
  conv3x3: rounded(noise([c, 1, 3, 3], 3)),
  conv5x5: rounded(noise([c, 1, 5, 5], 4)),
});

const contents = (images: Readonly<Record<string, Float64Image>>) =>
  Object.fromEntries(Object.entries(images).map(([name, { data }]) => [name, data]));

describe('the branches of Omni-Shift', () => {
  test.each([1, 6, 12, 96])('are merged as eq. 11 says (%i channels)', async (channels) => {
    const values = seededBranches(channels);
    const results = await runDispatches(
      await testDevice(), { ...contents(values), kernel: 25 * channels },
      [mergeOmniShift({ branches, channels, kernel: 'kernel' })], ['kernel'],
    );
    // Four products and three sums.
    expect(largestDifference(float64Image([5, 5, channels], results.get('kernel')!), reference(values))).toBeLessThan(3e-7);
  });

  test.each([1, 6, 12, 96])('get the gradients of their merged kernel (%i channels)', async (channels) => {
    const values = seededBranches(channels);
    const g = rounded(noise([5, 5, channels], 5));
    const gradients = { alpha: 'gAlpha', conv1x1: 'gConv1x1', conv3x3: 'gConv3x3', conv5x5: 'gConv5x5' };
    const results = await runDispatches(
      await testDevice(),
      { ...contents(values), g: g.data, gAlpha: 4, gConv1x1: channels, gConv3x3: 9 * channels, gConv5x5: 25 * channels },
      mergeOmniShiftGradient({ branches, g: 'g', channels, gradients }), Object.values(gradients),
    );
    const expected = referenceGradient(values, g);
    for (const name of NAMES) {
      const got = float64Image(expected[name].shape, results.get(gradients[name])!);
      // A branch's gradient is one product; alpha's a sum of 25·channels terms of either sign, in rows of 40 at most.
      expect(largestDifference(got, expected[name]), name).toBeLessThan(name === 'alpha' ? 5e-6 : 1e-7);
    }
  });
});
