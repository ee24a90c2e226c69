import { describe, expect, test } from 'vitest';
import { testDevice } from '../engine/againstReference.ts';
import { runDispatches } from '../engine/runDispatches.ts';
import { float64Image, type Float64Image } from './float64Image.ts';
import { largestDifference, noise } from './gradientCheck.ts';
import { wholeView } from './kernel.ts';
import { omniShiftGradient, omniShiftGradientScratch } from './omniShift.gradient.ts';
import { omniShiftGradient as reference } from './omniShift.reference.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS } from './variants.ts';

const rounded = ({ shape, data }: Float64Image): Float64Image => float64Image(shape, Float32Array.from(data));

describe.each([['software', SOFTWARE_VARIANTS], ['GPUs', GPU_VARIANTS]])('the gradient of Omni-Shift, tiled for %s', (_, variants) => {
  test.each([
    [2, 9, 14, 12], [1, 1, 1, 4], [2, 19, 6, 8], [1, 17, 3, 20], [3, 33, 41, 24], [1, 2, 70, 4],
  ])('is that of the float64 reference (%i of %i×%i, %i channels)', async (...shape) => {
    const [x, g] = [rounded(noise(shape, 1)), rounded(noise(shape, 2))];
    const kernel = rounded(noise([5, 5, shape[3]], 3));
    const view = (name: string) => wholeView(name, shape);
    const dispatches = omniShiftGradient({
      x: view('x'), kernel: 'kernel', g: view('g'), gX: view('gX'), gKernel: 'gKernel', partials: 'partials',
    }, variants);
    const results = await runDispatches(await testDevice(), {
      x: x.data, kernel: kernel.data, g: g.data, gX: x.data.length, gKernel: kernel.data.length,
      partials: omniShiftGradientScratch(view('x'), variants.omniShiftGradient),
    }, dispatches, ['gX', 'gKernel']);
    const expected = reference(x, kernel, g);
    // 25 products; and sums over all pixels of terms of either sign, which partly cancel.
    expect(largestDifference(float64Image(shape, results.get('gX')!), expected.x)).toBeLessThan(3e-6);
    expect(largestDifference(float64Image(kernel.shape, results.get('gKernel')!), expected.kernel)).toBeLessThan(1e-5);
  });
});
