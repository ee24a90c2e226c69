import { describe, expect, test } from 'vitest';
import { growth, mainTiming, timesFloor, type CaseReport } from './deviceReport.ts';
import { CASE, REPORT, timing } from './deviceReport.fixture.ts';
import { reportMarkdown } from './deviceReportMarkdown.ts';
import { digits, milliseconds, share } from './deviceReportWords.ts';

const larger: CaseReport = {
  ...CASE, size: 256, plan: { ...CASE.plan!, cold: false, bytes: 45.1 * 2 ** 20, kernels: null },
  timings: [timing('engine, on the device', 34, 1)],
};
const onWasm: CaseReport = {
  ...CASE, plan: null, timings: [timing('a peer', 1, 0, true), timing('wasm fallback', 100, 2)],
};

test('what stands for a case is our own time, on the device where there is one', () => {
  expect(mainTiming(CASE)?.median).toBe(8);
  expect(mainTiming(onWasm)?.name).toBe('wasm fallback');
  expect(timesFloor(CASE)).toBe(4);
  expect(timesFloor(onWasm)).toBeNull();
});

test('growth goes from each size of a variant to the next, whatever their order', () => {
  const [grown, ...others] = growth([larger, { ...CASE, variant: 'full' }, CASE]);
  expect(others).toEqual([]);
  expect(grown).toMatchObject({ variant: 'light', from: 128, to: 256, pixels: 4, time: 4.25 });
  expect(grown!.memory).toBeCloseTo(4.1, 12);
  expect(growth([onWasm, { ...onWasm, size: 256 }])[0]!.memory).toBeNull();
});

test.each([[0.123, '0.12'], [9.99, '9.99'], [12.34, '12.3'], [123.4, '123']])('%f is said as %s', (value, words) => {
  expect(digits(value)).toBe(words);
});

test('a time has as many decimals as its deviation, and small shares are said as small', () => {
  expect(milliseconds({ median: 12.34, deviation: 0.56 })).toBe('12.3 ± 0.6 ms');
  expect([share(0.754), share(0.004), share(null)]).toEqual(['75 %', '< 1 %', '–']);
});

describe('Markdown', () => {
  test('holds a row a case, the growth, who else computed it, the kernels and what was left out', () => {
    const text = reportMarkdown({
      ...REPORT, cases: [CASE, larger], leftOut: [{ variant: 'full', size: 512, why: 'an image takes about 40 s' }],
      training: { batch: 2, crop: 64, cases: [{ ...timing('our kernels', 1500, 20), peakBytes: 2 ** 29 }] },
    });
    expect(text.split('\n')).toEqual([
      'Some GPU, f32, 1500 GFLOP/s and 400 GB/s measured, subgroups, timestamp-query; Processor × 2; 2030-01-31',
      '',
      '| network | an image | times the floor | GFLOP/s | activations | dispatches | first image |',
      '|---|--:|--:|--:|--:|--:|--:|',
      '| light 128² | 8.00 ± 0.20 ms | 4.0× | 375 | 11 MiB | 12 | 316 ms, shaders compiled |',
      '| light 256² | 34.0 ± 1.0 ms | 17.0× | 88.2 | 45 MiB | 12 | 368 ms |',
      '',
      'The floor is the least time that the measured rates allow.',
      '',
      '- light 128² → 256², 4.00× the pixels: 4.25× the time, 4.10× the memory',
      '',
      '| network | by | an image | first, ms | relative |',
      '|---|--:|--:|--:|--:|',
      '| light 128² | engine, on the device | 8.00 ± 0.20 ms | 16.0 | 1.00× |',
      '| light 128² | stock tfjs-webgpu, with read-back | 80.0 ± 1.0 ms | 160 | 10.00× |',
      '| light 256² | engine, on the device | 34.0 ± 1.0 ms | 68.0 | 1.00× |',
      '',
      '| kernel, light 128² | dispatches | time | share |',
      '|---|--:|--:|--:|',
      '| linear | 8 | 6.00 ± 0.10 ms | 75 % |',
      '| conv | 4 | 2.00 ± 0.05 ms | 25 % |',
      '',
      '- full 512² left out: an image takes about 40 s',
      '',
      '| training step, light, batch 2, 64² | time | first, ms | peak GPU memory |',
      '|---|--:|--:|--:|',
      '| our kernels | 1500 ± 20 ms | 3000 | 512 MiB |',
      '',
    ]);
  });

  test('takes no markup from what an adapter calls itself', () => {
    const text = reportMarkdown({ ...REPORT, adapter: { ...REPORT.adapter!, name: 'A | <b>[x](y)\nZ' } });
    expect(text.split('\n')[0]).toContain('A \\| \\<b\\>\\[x\\](y) Z,');
  });

  test('says that there was no WebGPU', () => {
    expect(reportMarkdown({ ...REPORT, adapter: null, cases: [onWasm] })).toMatch(
      /^No WebGPU; Processor × 2; .*\| light 128² \| 100 ± 2 ms \| – \| 30.0 \| – \| – \| – \|/s);
  });
});
