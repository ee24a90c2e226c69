import { evaluate, evaluationRange } from '../../analysis/metrics.ts';
import type { Range } from '../../analysis/metrics.ts';
import { meanAndDeviation } from '../../analysis/summary.ts';
import { normalisationFor } from '../../image/normalise.ts';
import type { Normalisation } from '../../image/normalise.ts';
import type { Slice } from '../../image/slice.ts';
import type { Measured, Metrics } from '../protocol.ts';
import { figure } from '../view/describe.ts';
import type { Evaluation } from './display.ts';
import { inputSlice, referenceSlice } from './study.ts';
import type { Scores, Study } from './study.ts';

/** The range in which a study is evaluated: follows the model's normalisation, else the paper's. */
export function rangeOf(study: Study): Range {
  return evaluationRange(study.modality, normalisationOf(study));
}

export function normalisationOf(study: Study): Normalisation {
  return study.normalisation ?? normalisationFor(study.modality, study.volume, null);
}

/** PSNR, SSIM and RMSE of the slice's input and restored image against its reference; null without one. */
export function scoresOf(study: Study, index: number): Scores | null {
  const known = study.scores.get(index);
  const restored = study.restored.get(index);
  if (known && (known.restored || !restored)) return known;
  const reference = referenceSlice(study, index);
  if (!reference) return null;
  const range = rangeOf(study);
  const measure = (image: Slice): Measured => {
    const { psnr, ssim, rmse } = evaluate(reference, image, range);
    return { psnr, ssim, rmse };
  };
  const scores = {
    input: known?.input ?? measure(inputSlice(study, index)),
    restored: restored ? measure(restored) : null,
  };
  study.scores.set(index, scores);
  return scores;
}

/** The slice's scores with the mean over all restored slices that were measured. */
export function metricsOf(study: Study, index: number): Metrics | null {
  const scores = scoresOf(study, index);
  if (!scores) return null;
  const { min, max } = rangeOf(study);
  const units = study.volume.units === 'raw' ? '' : study.volume.units;
  const done = [...study.scores.values()].filter(
    (s): s is { input: Measured; restored: Measured } => s.restored !== null,
  );
  const mean = (pick: (s: { input: Measured; restored: Measured }) => number) =>
    meanAndDeviation(done.map(pick))?.mean ?? Infinity;
  const all = (of: 'input' | 'restored'): Measured => ({
    psnr: mean((s) => s[of].psnr),
    ssim: mean((s) => s[of].ssim),
    rmse: mean((s) => s[of].rmse),
  });
  return {
    ...scores,
    volume: done.length > 1 ? { slices: done.length, input: all('input'), restored: all('restored') } : null,
    range: `${figure(min)} … ${figure(max)}${units && ` ${units}`}`,
    units,
  };
}

/** What the SSIM map needs to agree with the metric. */
export function evaluationOf(study: Study, against: Slice): Evaluation {
  const { min, max } = rangeOf(study);
  let low = Infinity;
  let high = -Infinity;
  for (const value of against.data) {
    const clamped = Number.isFinite(value) ? Math.min(Math.max(value, min), max) : min;
    if (clamped < low) low = clamped;
    if (clamped > high) high = clamped;
  }
  return { low: min, high: max, range: high > low ? high - low : max - min };
}
