import type { Modality } from '../formats/volume.ts';
import { checkStrength, degrade } from '../image/degrade.ts';
import type { DegradeOptions } from '../image/degrade.ts';
import type { Slice } from '../image/slice.ts';
import { evaluate } from './metrics.ts';
import type { Evaluation, Range } from './metrics.ts';
import { summarise } from './summary.ts';

/** The paper's figure 6b for PET; doses and factors in the same manner. Strengths as `STRENGTH` defines them. */
export const SWEEP_STRENGTHS: { readonly [M in Modality]: readonly number[] } = {
  ct: [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5],
  pet: [2, 4, 6, 8, 10, 12, 16, 20],
  mri: [2, 4],
};

export interface SweepModel {
  /** For the legend and the CSV's column. */
  readonly name: string;
  /** Restores an image; both in the native units of the references, and of one size. */
  restore(input: Slice): Promise<Slice>;
}

/** How the references are degraded: see `degrade`. */
export interface SweepOptions extends Omit<DegradeOptions, 'strength'> {
  readonly task: Modality;
  /** References in native units; one will do. Those with one value only, within the range, are left out. */
  readonly slices: readonly Slice[];
  /** The slices' places in their volume, 0, 1, 2, … if left out: a slice's seed is `seed` + its place, at any strength. */
  readonly places?: readonly number[];
  readonly strengths: readonly number[];
  readonly models: readonly SweepModel[];
  /** What images are clamped to before they are compared, in native units: see `evaluationRange`. */
  readonly range: Range;
  /** Is called after each image that was compared. */
  readonly progress?: (done: number, total: number) => void;
  /** Ends the sweep before the next image. */
  readonly signal?: AbortSignal;
}

/** Means over the slices at one strength. */
export interface SweepPoint {
  readonly strength: number;
  /** null: the degraded images themselves. */
  readonly model: string | null;
  /** How many took part. */
  readonly slices: number;
  /** dB, over the slices that do not equal their reference; Infinity where all do. */
  readonly psnr: number;
  readonly ssim: number;
  /** In native units. */
  readonly rmse: number;
}

/**
 * PSNR, SSIM and RMSE over strengths of a simulated degradation: at each strength one point for the input and one for
 * each model, in the order given. Whoever stops iterating stops the sweep; `signal` also stops it within a point.
 *
 * @throws RangeError where no slice can be told from a constant or a strength is not one of the task's, before anything
 *   is computed; the signal's reason when it is aborted; what `restore` throws
 */
export async function* sweep(options: SweepOptions): AsyncGenerator<SweepPoint, void, void> {
  const { task, slices, places, strengths, models, range, progress, signal, seed } = options;
  for (const strength of strengths) checkStrength(task, strength);
  const told = [...slices.entries()].filter(([, slice]) => varies(slice, range));
  if (told.length === 0) {
    throw new RangeError(`sweep: no slice has more than one value within ${range.min} … ${range.max}; choose others`);
  }
  const total = strengths.length * told.length * (models.length + 1);
  let done = 0;
  for (const strength of strengths) {
    const found: Evaluation[][] = Array.from({ length: models.length + 1 }, () => []);
    const compare = (reference: Slice, estimate: Slice, row: number) => {
      found[row]!.push(evaluate(reference, estimate, range));
      progress?.(++done, total);
    };
    for (const [index, reference] of told) {
      signal?.throwIfAborted();
      const input = degrade(reference, task, { ...options, strength, seed: seed + (places?.[index] ?? index) });
      compare(reference, input, 0);
      for (const [place, model] of models.entries()) {
        signal?.throwIfAborted();
        compare(reference, await model.restore(input), place + 1);
      }
    }
    for (const [row, evaluations] of found.entries()) {
      yield { strength, model: row === 0 ? null : models[row - 1]!.name, ...meansOf(evaluations) };
    }
  }
}

/** Whether there is anything to see once the values are clamped. */
function varies({ data }: Slice, { min, max }: Range): boolean {
  const clamped = (value: number) => (Number.isFinite(value) ? Math.min(Math.max(value, min), max) : min);
  return data.length > 0 && data.some((value) => clamped(value) !== clamped(data[0]!));
}

function meansOf(evaluations: readonly Evaluation[]): Omit<SweepPoint, 'strength' | 'model'> {
  const { slices, psnr, ssim, rmse } = summarise(evaluations);
  return { slices, psnr: psnr?.mean ?? Infinity, ssim: ssim?.mean ?? NaN, rmse: rmse?.mean ?? NaN };
}

/** One line a point, model "input" for the degraded images. */
export function sweepCsv(points: readonly SweepPoint[]): string {
  const rows = points.map(({ strength, model, slices, psnr, ssim, rmse }) =>
    [strength, field(model ?? 'input'), slices, psnr, ssim, rmse].join(','),
  );
  return `${['strength,model,slices,psnr,ssim,rmse', ...rows].join('\n')}\n`;
}

/** Names may come from a file: quoted, and never at the start what a spreadsheet takes for a formula. */
function field(name: string): string {
  const plain = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
  return /[",\r\n']/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
