import { checkOptions } from '../../training/options.ts';
import { DEFAULT_OPTIONS, TrainingError } from '../../training/training.ts';
import type { TrainingOptions } from '../../training/training.ts';
import type { TuneStart } from '../fineTune.ts';
import type { DeviceState } from '../protocol.ts';

/** The numbers of a run that a user may change. */
export interface TuneNumbers {
  readonly steps: number;
  readonly batch: number;
  readonly crop: number;
  readonly rate: number;
  readonly checkpointEvery: number;
  readonly validateEvery: number;
  readonly seed: number;
}

/** The learning rate falls to this share of itself, as in the paper within the same order. */
const LAST_RATE = 0.01;

/**
 * The paper's crops and batch on a graphics processor; on others what keeps a step within seconds. A network that
 * knows something already takes smaller steps than one that begins.
 */
export function tuneDefaults(start: TuneStart, device: DeviceState | null, batchThatFits: number | null): TuneNumbers {
  const fast = device?.kind === 'webgpu' && !device.software;
  const batch = Math.max(1, Math.min(fast ? DEFAULT_OPTIONS.batch : 2, batchThatFits ?? Infinity));
  const crop = fast && start !== 'tiny' ? DEFAULT_OPTIONS.crop : 64;
  const steps = start === 'light' ? 5000 : start === 'model' && fast ? 1000 : 200;
  return { steps, batch, crop, rate: start === 'model' ? 1e-4 : 1e-3, ...cadence(steps), seed: 0 };
}

/** How often a run of so many steps is kept and measured. */
export function cadence(steps: number): Pick<TuneNumbers, 'checkpointEvery' | 'validateEvery'> {
  return { checkpointEvery: Math.max(5, Math.round(steps / 20)), validateEvery: Math.max(5, Math.round(steps / 10)) };
}

export function optionsOf(
  numbers: TuneNumbers, parts: TrainingOptions['parts'] = 'all', recompute = false,
): TrainingOptions {
  const { steps, batch, crop, rate, seed } = numbers;
  return { steps, batch, crop, rate, lastRate: rate * LAST_RATE, seed, clip: null, parts, recompute };
}

/** What is wrong with the numbers, a sentence; null where nothing is. */
export function problemOf(numbers: TuneNumbers): string | null {
  try {
    checkOptions(optionsOf(numbers));
  } catch (error) {
    if (error instanceof TrainingError) return error.message.replace(/^training: /, '');
    throw error;
  }
  const { checkpointEvery, validateEvery } = numbers;
  const whole = [checkpointEvery, validateEvery].every((value) => Number.isInteger(value) && value >= 1);
  return whole ? null : 'steps between checkpoints and measurements are whole numbers from 1';
}
