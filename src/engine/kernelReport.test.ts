import { expect, test } from 'vitest';
import { groupKernels, kernelName, sharesOf } from './kernelReport.ts';

test.each([
  ['linear 48→192', 'linear'],
  ['biWkv columns 48 whole', 'biWkv columns whole'],
  ['conv 1→48 unshuffle', 'conv unshuffle'],
  ['sumPartials 4×1200', 'sumPartials'],
  ['linear gradient 48→96, x', 'linear gradient x'],
  ['layerNorm', 'layerNorm'],
])('%s is a dispatch of the kernel %s', (label, name) => {
  expect(kernelName(label)).toBe(name);
});

test('dispatches of a kernel count together, by the median of the runs, the longest kernel first', () => {
  const run = (conv: number, narrow: number, wide: number) => [
    { label: 'conv 1→48', dispatches: 1, milliseconds: conv },
    { label: 'linear 48→192', dispatches: 3, milliseconds: narrow },
    { label: 'linear 96→384', dispatches: 2, milliseconds: wide },
  ];
  // Sums of linear: 5, 9, 6; their median 6, the deviations from it 1, 3, 0.
  expect(groupKernels([run(2, 1, 4), run(2, 4, 5), run(3, 2, 4)])).toEqual([
    { name: 'linear', dispatches: 5, median: 6, deviation: 1 },
    { name: 'conv', dispatches: 1, median: 2, deviation: 0 },
  ]);
  expect(groupKernels([])).toEqual([]);
});

test('shares are of all kernels together, and unknown where no kernel took a tick', () => {
  const kernel = (median: number) => ({ name: 'k', dispatches: 1, median, deviation: 0 });
  expect(sharesOf([kernel(6), kernel(2)])).toEqual([0.75, 0.25]);
  expect(sharesOf([kernel(0), kernel(0)])).toEqual([null, null]);
});
