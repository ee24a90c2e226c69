import { readTuning } from '../../engine/autotune.ts';
import type { Tuning } from '../../engine/autotune.ts';
import type { PrecisionFigures } from '../../engine/choosePrecision.ts';
import { MOST_REMEMBERED } from '../precision.ts';

/** What was measured on a device; its key names adapter, driver and shaders. */
export interface DeviceRecord {
  readonly key: string;
  /** null: not yet tuned. */
  readonly tuning: Tuning | null;
  /** How often measuring began and neither ended nor was interrupted: the device may not survive it. */
  readonly unfinished: number;
  /** The model that was measured last is first. */
  readonly models: readonly ModelRecord[];
}

export interface ModelRecord extends Pick<PrecisionFigures, 'difference'> {
  /** What tells its weights from all others. */
  readonly model: string;
  /** null: only results were compared, or they differ too much. */
  readonly milliseconds: PrecisionFigures['milliseconds'] | null;
}

const MOST_DEVICES = 8;
const MOST_MODELS = 16;
/** Characters of a key. */
const LONGEST = 512;

/** Reads what a browser kept: anybody may have written it. What is not as it was written is left out. */
export function readDevices(text: string | null): DeviceRecord[] {
  if (text === null || text.length > MOST_REMEMBERED) return [];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return [];
  }
  return listed(json, MOST_DEVICES).flatMap(({ key, tuning, unfinished, models }) => {
    if (!isName(key)) return [];
    const read = tuning === null ? null : readTuning(tuning);
    const count = typeof unfinished === 'number' && unfinished >= 0 ? unfinished : 0;
    return [{ key, tuning: read, unfinished: count, models: listed(models, MOST_MODELS).flatMap(modelOf) }];
  });
}

function modelOf({ model, difference, milliseconds }: Record<string, unknown>): ModelRecord[] {
  if (!isName(model) || !(difference === null || isPositive(difference) || difference === 0)) return [];
  // JSON has no Infinity.
  const known = { model, difference: difference ?? Infinity };
  if (milliseconds === null) return [{ ...known, milliseconds }];
  const { f32, f16 } = Object(milliseconds) as Record<string, unknown>;
  return isPositive(f32) && isPositive(f16) ? [{ ...known, milliseconds: { f32, f16 } }] : [];
}

/** Those of the latest devices and models. */
export function writeDevices(records: readonly DeviceRecord[]): string {
  const kept = records.slice(0, MOST_DEVICES).map((record) => ({ ...record, models: record.models.slice(0, MOST_MODELS) }));
  return JSON.stringify(kept);
}

const listed = (json: unknown, most: number): Record<string, unknown>[] =>
  Array.isArray(json) ? json.slice(0, most).map((entry: unknown) => Object(entry) as Record<string, unknown>) : [];

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= LONGEST;

const isPositive = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0;
