import { evaluate as evaluateSlice, EVALUATION_RANGE, type Evaluation, type Range } from '../analysis/metrics.ts';
import { summarise, type MeanAndDeviation } from '../analysis/summary.ts';
import type { Modality, Volume } from '../formats/volume.ts';
import { isPicture } from '../image/normalise.ts';
import { sliceOf } from '../image/slice.ts';
import { toSuv } from '../image/suv.ts';
import { modalityOption, parseVerb, required } from './arguments.ts';
import { RefusedError, sentence, UsageError } from './errors.ts';
import { readVolume, writeOutput } from './files.ts';

const OPTIONS = {
  reference: { type: 'string' },
  input: { type: 'string' },
  modality: { type: 'string' },
  csv: { type: 'string' },
} as const;

/** `evaluate --reference R --input I [--csv FILE]`: PSNR, SSIM and RMSE of each slice, then mean ± deviation. */
export async function evaluate(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('evaluate', args, OPTIONS);
  if (positionals.length > 0) throw new UsageError(`evaluate: ${positionals[0]} stands alone; say --reference R --input I`);
  const referencePath = required('evaluate', 'reference', values.reference);
  const inputPath = required('evaluate', 'input', values.input);
  const wanted = modalityOption(values.modality);

  const opened = [await readVolume([referencePath]), await readVolume([inputPath])] as const;
  // Both or none: values in Bq/mL mean nothing beside SUV.
  const inSuv = opened.every(({ units, suv }) => units === 'SUV' || (suv && suv.factor !== null));
  const [reference, input] = inSuv ? [toSuv(opened[0]), toSuv(opened[1])] : opened;
  checkSameSize(reference, input);
  const modality = modalityOf(wanted, reference, input);
  const { range, units } = rangeOf(modality, reference, input);

  const evaluations: Evaluation[] = [];
  console.log(`slice    PSNR/dB      SSIM  RMSE${units && `/${units}`}`);
  for (let index = 0; index < reference.slices; index++) {
    const evaluation = evaluateSlice(sliceOf(reference, index), sliceOf(input, index), range);
    evaluations.push(evaluation);
    const { psnr, ssim, rmse } = evaluation;
    console.log(`${String(index + 1).padStart(5)}  ${psnr.toFixed(4).padStart(9)}  ${ssim.toFixed(6)}  ${significant(rmse)}`);
  }
  const { psnr, ssim, rmse, identical, constantReferences } = summarise(evaluations);
  console.log(`mean ± sd  PSNR ${spread(psnr, 4)} dB  SSIM ${spread(ssim, 6)}  RMSE ${spread(rmse, 4)} ${units}`.trimEnd());

  const nonFinite = evaluations.reduce((sum, evaluation) => sum + evaluation.nonFinite, 0);
  if (identical > 0) note(`${identical} slices equal their reference and are not in the mean of PSNR`);
  if (constantReferences > 0) note(`${constantReferences} slices have a constant reference; the whole range stands for theirs`);
  if (nonFinite > 0) note(`${nonFinite} voxels are not finite and count as ${range.min}`);
  if (values.csv) await writeOutput(values.csv, csv(evaluations));
  return 0;
}

function checkSameSize(reference: Volume, input: Volume): void {
  const size = ({ columns, rows, slices }: Volume) => `${columns} × ${rows} × ${slices}`;
  if (size(reference) === size(input)) return;
  throw new RefusedError(`evaluate: the input is ${size(input)}, the reference ${size(reference)}; name images of one size`);
}

/** null for pictures in [0, 1]. */
function modalityOf(wanted: Modality | undefined, reference: Volume, input: Volume): Modality | null {
  const modality = wanted ?? reference.modality ?? input.modality;
  if (modality || (isPicture(reference) && isPicture(input))) return modality;
  throw new UsageError(`evaluate: ${reference.name} does not say what it is; add --modality ct, pet or mri`);
}

/** What both images are clamped to, and its units for people. */
function rangeOf(modality: Modality | null, reference: Volume, input: Volume): { range: Range; units: string } {
  if (modality === null) return { range: { min: 0, max: 1 }, units: '' };
  const units = { ct: 'HU', pet: 'SUV', mri: '' }[modality];
  if (modality !== 'pet' || reference.units !== 'Bq/mL') return { range: EVALUATION_RANGE[modality], units };
  // 20 SUV is not known in Bq/mL without dose and weight: then nothing is cut above.
  const largest = (data: Float32Array) => data.reduce((max, value) => (value < Infinity && value > max ? value : max), 0);
  const max = Math.max(largest(reference.data), largest(input.data)) || 1;
  note('PET in Bq/mL: values above 20 SUV cannot be told and are not clamped');
  return { range: { min: 0, max }, units: 'Bq/mL' };
}

const significant = (value: number) => String(Number(value.toPrecision(6)));

function spread(value: MeanAndDeviation | null, digits: number): string {
  if (!value) return 'Infinity';
  const mean = value.mean.toFixed(digits);
  return value.deviation === null ? mean : `${mean} ± ${value.deviation.toFixed(digits)}`;
}

function csv(evaluations: readonly Evaluation[]): string {
  const rows = evaluations.map(({ psnr, ssim, rmse }, index) => [index + 1, psnr, ssim, rmse].join(','));
  return `${['slice,psnr,ssim,rmse', ...rows].join('\n')}\n`;
}

function note(text: string): void {
  process.stderr.write(`note: ${sentence(text)}\n`);
}
