import type { Evaluation } from '../analysis/metrics.ts';
import { summarise } from '../analysis/summary.ts';
import {
  markdownTable, rowsOf, spread, tableCsv, testsOf, textTable, type ComparedSlice, type EvaluationTable,
} from '../analysis/table.ts';
import { writeOutput } from './files.ts';
import { note } from './terminal.ts';

/** An evaluation as it is printed. */
export interface Evaluated {
  readonly table: EvaluationTable;
  /** Where each evaluation of the table comes from. */
  readonly slices: readonly ComparedSlice[];
  /** What voxels that are not finite count as; null where there can be none. */
  readonly floor: number | null;
}

export interface OutputOptions {
  readonly csv: string | undefined;
  readonly markdown: boolean;
  readonly json: boolean;
}

/** Prints the table; for one method of one image, its slices and their mean as lines. */
export async function printEvaluated(evaluated: Evaluated, { csv, markdown, json }: OutputOptions): Promise<void> {
  const { table, slices } = evaluated;
  const images = new Set(slices.map(({ image }) => image));
  const plain = table.methods.length === 1 && images.size === 1;
  if (json) console.log(JSON.stringify(report(evaluated, images.size)));
  else if (markdown) console.log(markdownTable(table));
  else if (plain) printSlices(table.methods[0]!.evaluations, table.units);
  else {
    console.log(textTable(table));
    console.log(`\nmean ± sd of ${counted(slices.length, 'slice')} of ${counted(images.size, 'image')}`);
  }
  tellOddities(evaluated);
  if (csv) await writeOutput(csv, plain ? slicesCsv(table.methods[0]!.evaluations) : tableCsv(table, slices));
}

function report({ table, slices }: Evaluated, images: number) {
  return {
    images,
    slices: slices.length,
    units: table.units,
    methods: rowsOf(table).map(({ name, parameters, macs, summary: { psnr, ssim, rmse, identical } }) =>
      ({ name, parameters, macs, psnr, ssim, rmse, identical })),
    tests: testsOf(table),
  };
}

function printSlices(evaluations: readonly Evaluation[], units: string): void {
  console.log(`slice    PSNR/dB      SSIM  RMSE${units && `/${units}`}`);
  for (const [index, { psnr, ssim, rmse }] of evaluations.entries()) {
    const slice = String(index + 1).padStart(5);
    console.log(`${slice}  ${psnr.toFixed(4).padStart(9)}  ${ssim.toFixed(6)}  ${Number(rmse.toPrecision(6))}`);
  }
  const { psnr, ssim, rmse } = summarise(evaluations);
  const decibels = psnr ? spread(psnr, 4) : 'Infinity';
  console.log(`mean ± sd  PSNR ${decibels} dB  SSIM ${spread(ssim, 6)}  RMSE ${spread(rmse, 4)} ${units}`.trimEnd());
}

/** What is not in the means, or in them otherwise than one may think. */
function tellOddities({ table: { methods, comparisons }, floor }: Evaluated): void {
  for (const { name, evaluations } of methods) {
    const of = methods.length > 1 ? ` of ${name}` : '';
    const { identical } = summarise(evaluations);
    const nonFinite = evaluations.reduce((sum, evaluation) => sum + evaluation.nonFinite, 0);
    if (identical > 0) note(`${identical} slices${of} equal their reference and are not in the mean of PSNR`);
    if (nonFinite > 0 && floor !== null) note(`${nonFinite} voxels${of} are not finite and count as ${floor}`);
  }
  const { constantReferences: constant } = summarise(methods[0]?.evaluations ?? []);
  if (constant > 0) note(`${constant} slices have a constant reference; the whole range stands for theirs`);
  if (comparisons.length > 0) {
    note('the tests take slices as independent; those of one patient are not, so p is smaller than it should be');
  }
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function slicesCsv(evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map(({ psnr, ssim, rmse }, index) => [index + 1, psnr, ssim, rmse].join(','));
  return `${['slice,psnr,ssim,rmse', ...rows].join('\n')}\n`;
}
