import { plainText } from '../formats/guard.ts';
import type { Evaluation } from './metrics.ts';
import { comparePaired } from './pairedTests.ts';
import type { PairedComparison } from './pairedTests.ts';
import { METRICS, summarise } from './summary.ts';
import type { MeanAndDeviation, Metric, Summary } from './summary.ts';

/** One method of a table: the input as it is, or what restored it. */
export interface Method {
  readonly name: string;
  /** Of the network, each Omni-Shift merged; null for what is no network here. */
  readonly parameters: number | null;
  /** Multiply-accumulates at 128 × 128, which the paper lists as FLOPs; null as above. */
  readonly macs: number | null;
  /** One a slice, the same slices in the same order for all methods. */
  readonly evaluations: readonly Evaluation[];
}

/** A method compared with another, by index. */
export type Comparison = readonly [first: number, second: number];

export interface EvaluationTable {
  readonly methods: readonly Method[];
  readonly comparisons: readonly Comparison[];
  /** Of RMSE: "HU"; empty for numbers without units. */
  readonly units: string;
}

/** A method's row with its numbers. */
export interface TableRow extends Pick<Method, 'name' | 'parameters' | 'macs'> {
  readonly summary: Summary;
}

/** Paired tests of one metric. */
export interface TableTest extends PairedComparison {
  readonly first: string;
  readonly second: string;
  readonly metric: Metric;
}

const HEADS: { readonly [M in Metric]: string } = { psnr: 'PSNR↑', ssim: 'SSIM↑', rmse: 'RMSE↓' };
const TITLES: { readonly [M in Metric]: string } = { psnr: 'PSNR', ssim: 'SSIM', rmse: 'RMSE' };
/** The digits of the paper's tables. */
const DIGITS: { readonly [M in Metric]: number } = { psnr: 2, ssim: 4, rmse: 4 };
const LONGEST_NAME = 64;

export function rowsOf({ methods }: EvaluationTable): TableRow[] {
  return methods.map(({ name, parameters, macs, evaluations }) => ({
    name, parameters, macs, summary: summarise(evaluations),
  }));
}

/** Each comparison by each metric; differences are first − second. */
export function testsOf({ methods, comparisons }: EvaluationTable): TableTest[] {
  return comparisons.flatMap(([one, other]) =>
    METRICS.map((metric) => {
      const [first, second] = [methods[one]!, methods[other]!];
      const values = ({ evaluations }: Method) => evaluations.map((evaluation) => evaluation[metric]);
      return { first: first.name, second: second.name, metric, ...comparePaired(values(first), values(second)) };
    }),
  );
}

/** The table in the paper's form, and one of the paired tests where there are any, as aligned text. */
export function textTable(table: EvaluationTable): string {
  const align = (cells: readonly (readonly string[])[]) => {
    const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
    return cells
      .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
      .join('\n');
  };
  return parts(table, false).map(align).join('\n\n');
}

/** The same as Markdown, the best mean of each metric in bold. */
export function markdownTable(table: EvaluationTable): string {
  const write = ([head, ...rows]: readonly (readonly string[])[]) => {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rule = head!.map((_, i) => (i === 0 ? '---' : '---:'));
    return [line(head!), `|${rule.join('|')}|`, ...rows.map(line)].join('\n');
  };
  return parts(table, true).map(write).join('\n\n');
}

/** Cells of the table and of its tests, heads first. */
function parts(table: EvaluationTable, markdown: boolean): string[][][] {
  const name = (text: string) => (markdown ? escaped(text) : plainText(text, LONGEST_NAME));
  const main = methodCells(table, name, markdown);
  return table.comparisons.length > 0 ? [main, testCells(table, name)] : [main];
}

function methodCells(table: EvaluationTable, name: (text: string) => string, markdown: boolean): string[][] {
  const rows = rowsOf(table);
  const networks = rows.some(({ parameters }) => parameters !== null);
  const best = (metric: Metric) => {
    const means = rows.map(({ summary }) => summary[metric]?.mean ?? NaN);
    const finite = means.filter(Number.isFinite);
    return rows.length > 1 && markdown ? (metric === 'rmse' ? Math.min(...finite) : Math.max(...finite)) : NaN;
  };
  const bests = METRICS.map(best);
  const units = table.units && ` (${table.units})`;
  const head = METRICS.map((metric) => (metric === 'rmse' ? `${HEADS.rmse}${units}` : HEADS[metric]));
  return [
    ['Method', ...(networks ? ['Params (M)', 'MACs (G)'] : []), ...head],
    ...rows.map(({ name: text, parameters, macs, summary }) => [
      name(text),
      ...(networks ? [millions(parameters, 1e6), millions(macs, 1e9)] : []),
      ...METRICS.map((metric, i) => {
        const cell = spread(summary[metric], DIGITS[metric]);
        return summary[metric]?.mean === bests[i] ? `**${cell}**` : cell;
      }),
    ]),
  ];
}

function testCells(table: EvaluationTable, name: (text: string) => string): string[][] {
  return [
    ['Difference', 'Metric', 'Mean', 't-test p', 'Wilcoxon p', 'Pairs'],
    ...testsOf(table).map(({ first, second, metric, meanDifference, tTest, wilcoxon, pairs }) => [
      `${name(first)} − ${name(second)}`,
      TITLES[metric],
      meanDifference === null ? '–' : signed(meanDifference, DIGITS[metric]),
      probability(tTest?.p),
      probability(wilcoxon?.p),
      String(pairs),
    ]),
  ];
}

/** "33.80 ± 1.25"; ∞ where every slice equals its reference. */
export function spread(value: MeanAndDeviation | null, digits: number): string {
  if (!value) return '∞';
  const mean = value.mean.toFixed(digits);
  return value.deviation === null ? mean : `${mean} ± ${value.deviation.toFixed(digits)}`;
}

/** Three digits, with an exponent where it is small; a dash where there is no test. */
function probability(p: number | undefined): string {
  if (p === undefined || Number.isNaN(p)) return '–';
  if (p === 0) return '< 1e-300';
  return p < 1e-3 ? p.toExponential(1) : p.toFixed(3);
}

function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? '−' : '+'}${text}`;
}

const millions = (count: number | null, unit: number) => (count === null ? '–' : (count / unit).toFixed(2));

/** Names may come from a file: nothing in them is markup. */
function escaped(text: string): string {
  return plainText(text, LONGEST_NAME).replace(/[\\`*_[\]|~]/g, '\\$&');
}

/** A slice that was compared, for the lines of a CSV. */
export interface ComparedSlice {
  readonly image: string;
  /** Counted from 1. */
  readonly slice: number;
}

/** One line a slice and method, in the order of the slices. */
export function tableCsv({ methods }: EvaluationTable, slices: readonly ComparedSlice[]): string {
  const lines = slices.flatMap(({ image, slice }, i) =>
    methods.map(({ name, evaluations }) => {
      const { psnr, ssim, rmse } = evaluations[i]!;
      return [csvField(image), slice, csvField(name), psnr, ssim, rmse].join(',');
    }),
  );
  return `${['image,slice,method,psnr,ssim,rmse', ...lines].join('\n')}\n`;
}

/** Quoted where it must be, and never at the start what a spreadsheet takes for a formula. */
function csvField(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
