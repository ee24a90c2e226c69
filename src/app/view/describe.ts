import type { Modality } from '../../formats/volume.ts';
import type { CardText, ImageState, Measured } from '../protocol.ts';

const MODALITIES = { ct: 'CT', pet: 'PET', mri: 'MRI' } as const;

/** "CT · 512 × 512 × 20 · 0.98 × 0.98 × 2.00 mm"; with time points "64 × 64 × 30 × 8" */
export function describe({ modality, columns, rows, slices, times, spacing }: ImageState): string {
  const grid = [columns, rows, slices, ...(times > 1 ? [times] : [])].join(' × ');
  const size = spacing ? ` · ${[spacing.x, spacing.y, spacing.z].map((mm) => mm.toFixed(2)).join(' × ')} mm` : '';
  return `${MODALITIES[modality]} · ${grid}${size}`;
}

/** Whether a model was trained on a modality, as far as its card says. */
export function learnt(card: CardText | null, modality: Modality): boolean {
  return !card || card.tasks.length === 0 || card.tasks.some((task) => task.modality === modality);
}

/** A number with as many digits as a reading needs, with a real minus sign. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '–';
  const size = Math.abs(value);
  if (size >= 10_000) return Math.round(value).toLocaleString('en').replace(/,/g, '\u202f').replace('-', '−');
  if (Number.isInteger(value)) return String(value).replace('-', '−');
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(digits).replace('-', '−');
}

/** The measures as a table shows them: PSNR in dB, SSIM, RMSE. */
export function measured({ psnr, ssim, rmse }: Measured): { psnr: string; ssim: string; rmse: string } {
  return { psnr: decimals(psnr, 2), ssim: decimals(ssim, 4), rmse: decimals(rmse, rmseDigits(rmse)) };
}

/** Digits after the point that an RMSE of this size is read with. */
export function rmseDigits(rmse: number): number {
  return rmse >= 100 ? 1 : rmse >= 1 ? 2 : 4;
}

/** The gain from input to restored with its sign. */
export function gain(from: number, to: number, digits: number): string {
  const change = to - from;
  if (!Number.isFinite(change)) return '';
  return `${change >= 0 ? '+' : ''}${decimals(change, digits)}`;
}

const decimals = (value: number, digits: number) =>
  Number.isFinite(value) ? value.toFixed(digits).replace('-', '−') : figure(value);
