import { describe, expect, it } from 'vitest';
import type { Evaluation } from './metrics.ts';
import { markdownTable, tableCsv, testsOf, textTable } from './table.ts';
import type { EvaluationTable, Method } from './table.ts';

const evaluation = (psnr: number, ssim: number, rmse: number): Evaluation => ({
  psnr, ssim, rmse, dataRange: 400, constantReference: false, nonFinite: 0,
});

type Values = readonly [psnr: number, ssim: number, rmse: number];

const method = (name: string, parameters: number | null, values: readonly Values[]): Method => ({
  name, parameters, macs: parameters && 1.523e9, evaluations: values.map((value) => evaluation(...value)),
});

const INPUT = method('Input', null, [[26, 0.88, 28], [28, 0.9, 24], [30, 0.89, 20]]);
const LIGHT = method('light', 1_163_000, [[28, 0.91, 22], [31, 0.93, 17], [32, 0.92, 15]]);
const FULL = method('full', 27_846_625, [[28.5, 0.92, 21.5], [31.25, 0.94, 16], [33, 0.9, 14.5]]);

const table = (part: Partial<EvaluationTable>): EvaluationTable => ({
  methods: [INPUT, LIGHT, FULL], comparisons: [], units: 'HU', ...part,
});

describe('a table of methods', () => {
  // Mean and sample standard deviation of 26, 28, 30 are 28 and 2; the others likewise by hand.
  it('has a row a method, mean ± deviation, aligned', () => {
    expect(textTable(table({})).split('\n')).toEqual([
      'Method  Params (M)  MACs (G)         PSNR↑            SSIM↑        RMSE↓ (HU)',
      'Input            –         –  28.00 ± 2.00  0.8900 ± 0.0100  24.0000 ± 4.0000',
      'light         1.16      1.52  30.33 ± 2.08  0.9200 ± 0.0100  18.0000 ± 3.6056',
      'full         27.85      1.52  30.92 ± 2.27  0.9200 ± 0.0200  17.3333 ± 3.6856',
    ]);
  });

  it('is Markdown with the best means in bold, without columns that no row has', () => {
    const methods = [INPUT, { ...LIGHT, parameters: null, macs: null }];
    expect(markdownTable(table({ methods, units: '' })).split('\n')).toEqual([
      '| Method | PSNR↑ | SSIM↑ | RMSE↓ |',
      '|---|---:|---:|---:|',
      '| Input | 28.00 ± 2.00 | 0.8900 ± 0.0100 | 24.0000 ± 4.0000 |',
      '| light | **30.33 ± 2.08** | **0.9200 ± 0.0100** | **18.0000 ± 3.6056** |',
    ]);
  });

  it('shows infinity where all slices equal their reference, and no deviation of one slice', () => {
    const methods = [method('same', null, [[Infinity, 1, 0]])];
    expect(textTable(table({ methods })).split('\n')[1]).toBe('same        ∞  1.0000      0.0000');
  });

  it('takes a name from a file as text, not as markup', () => {
    const methods = [method('a|b\n**c** [x](https://y)<script>', null, [[30, 0.9, 1]])];
    const row = markdownTable(table({ methods })).split('\n')[2]!;
    expect(row).toContain('| a\\|b \\*\\*c\\*\\* \\[x\\](https://y) script |');
  });
});

describe('paired tests of a table', () => {
  it('are made for each metric, and follow it', () => {
    const compared = table({ comparisons: [[2, 1]] });
    // PSNR differences 0.5, 0.25, 1: mean 7/12, t = mean / (s / √3) with s² = 7/48, so t² = 7; at two degrees of
    // freedom p = 1 − t / √(t² + 2) = 1 − √7 / 3. All three are positive, so Wilcoxon's p is 2/2³.
    const [psnr, ssim, rmse] = testsOf(compared);
    expect(psnr).toMatchObject({ first: 'full', second: 'light', metric: 'psnr', pairs: 3 });
    expect(psnr!.meanDifference).toBeCloseTo(7 / 12, 12);
    expect(psnr!.tTest!.t ** 2).toBeCloseTo(7, 12);
    expect(psnr!.tTest!.p).toBeCloseTo(1 - Math.sqrt(7) / 3, 12);
    expect(psnr!.wilcoxon).toEqual({ statistic: 0, count: 3, p: 0.25, method: 'exact' });
    expect([ssim!.metric, rmse!.metric]).toEqual(['ssim', 'rmse']);
    // RMSE differences −0.5, −1, −0.5: t = −4, p = 1 − 4 / √18; a tie, so z = (3 − 0 − 0.5) / √((84 − 3) / 24).
    expect(textTable(compared).split('\n').slice(4)).toEqual([
      '',
      'Difference    Metric     Mean  t-test p  Wilcoxon p  Pairs',
      'full − light    PSNR    +0.58     0.118       0.250      3',
      'full − light    SSIM   0.0000     1.000       1.000      3',
      'full − light    RMSE  −0.6667     0.057       0.174      3',
    ]);
  });

  it('have a dash where there is nothing to test', () => {
    const methods = [method('a', null, [[30, 0.9, 1]]), method('b', null, [[30, 0.9, 1]])];
    expect(markdownTable(table({ methods, comparisons: [[0, 1]] })).split('\n').slice(5)).toEqual([
      '| Difference | Metric | Mean | t-test p | Wilcoxon p | Pairs |',
      '|---|---:|---:|---:|---:|---:|',
      '| a − b | PSNR | 0.00 | – | – | 1 |',
      '| a − b | SSIM | 0.0000 | – | – | 1 |',
      '| a − b | RMSE | 0.0000 | – | – | 1 |',
    ]);
  });
});

describe('CSV of a table', () => {
  it('has a line a slice and method, and no name that a spreadsheet would compute', () => {
    const methods = [method('Input', null, [[26, 0.88, 28]]), method('=1+1, "x"', null, [[27, 0.9, Infinity]])];
    expect(tableCsv(table({ methods }), [{ image: 'head', slice: 3 }])).toBe(
      'image,slice,method,psnr,ssim,rmse\nhead,3,Input,26,0.88,28\nhead,3,"\'=1+1, ""x""",27,0.9,Infinity\n',
    );
  });
});
