import { readFile, stat } from 'node:fs/promises';
import { REPORT_KIND, REPORT_SCHEMA } from '../engine/deviceReport.ts';
import type {
  AdapterReport, CaseReport, DeviceReport, LeftOut, PlanReport, Timing, TrainingReport, VariantName,
} from '../engine/deviceReport.ts';
import type { KernelReport } from '../engine/kernelReport.ts';
import { plainText } from '../formats/guard.ts';
import { RefusedError } from './errors.ts';

/** A report has some kilobytes. */
const MOST_REPORT_BYTES = 2 ** 22;
const MOST_ENTRIES = 1024;
const LONGEST = 200;

/** What is wrong, as a clause. */
class Wrong extends Error {}

/** As `readReport`, from the disk. @throws RefusedError, or Node's error with its code, where it cannot be read */
export async function readReportFile(path: string): Promise<DeviceReport> {
  const found = await stat(path);
  if (!found.isFile()) throw new RefusedError(`${path}: this is no file; give one that bench --json wrote`);
  if (found.size > MOST_REPORT_BYTES) {
    throw new RefusedError(`${path}: ${found.size} bytes are too many for a bench report`);
  }
  return readReport(path, await readFile(path, 'utf8'));
}

/**
 * A report out of a file that `bench --json` or the page wrote. The file may be anything.
 *
 * @param name of the file, for the sentence
 * @throws RefusedError where it is no report of this kind and schema
 */
export function readReport(name: string, text: string): DeviceReport {
  try {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Wrong('it is not JSON');
    }
    return report(value);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    const which = plainText(name, LONGEST);
    throw new RefusedError(`${which}: this is no bench report, ${error.message}; give a file that bench --json wrote`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function report(value: unknown): DeviceReport {
  const fields = record(value, 'the file');
  if (fields['kind'] !== REPORT_KIND) throw new Wrong(`kind is not "${REPORT_KIND}"`);
  if (fields['schema'] !== REPORT_SCHEMA) throw new Wrong(`its schema is not ${REPORT_SCHEMA}`);
  return {
    kind: REPORT_KIND,
    schema: REPORT_SCHEMA,
    date: words(fields, 'date'),
    machine: words(fields, 'machine'),
    adapter: optional(fields, 'adapter', adapter),
    cases: list(fields, 'cases', benchCase),
    leftOut: list(fields, 'leftOut', leftOut),
    training: optional(fields, 'training', training),
  };
}

function adapter(fields: Fields): AdapterReport {
  const rates = record(fields['rates'], 'rates');
  return {
    name: words(fields, 'name'),
    software: flag(fields, 'software'),
    precision: precision(fields),
    features: entries(fields, 'features').map((feature) => words({ feature }, 'feature')),
    rates: { bytesPerSecond: number(rates, 'bytesPerSecond'), flopsPerSecond: number(rates, 'flopsPerSecond') },
  };
}

function precision({ precision }: Fields): AdapterReport['precision'] {
  if (precision !== 'f32' && precision !== 'f16') throw new Wrong('precision is neither "f32" nor "f16"');
  return precision;
}

const benchCase = (fields: Fields): CaseReport => ({
  ...named(fields),
  flops: number(fields, 'flops'),
  plan: optional(fields, 'plan', plan),
  timings: list(fields, 'timings', timing),
});

function plan(fields: Fields): PlanReport {
  const floor = record(fields['floor'], 'floor');
  return {
    prepare: number(fields, 'prepare'),
    cold: flag(fields, 'cold'),
    dispatches: number(fields, 'dispatches'),
    bytes: number(fields, 'bytes'),
    floor: {
      flops: number(floor, 'flops'), bytes: number(floor, 'bytes'), milliseconds: number(floor, 'milliseconds'),
    },
    kernels: own(fields, 'kernels') === null ? null : list(fields, 'kernels', kernel),
  };
}

const kernel = (fields: Fields): KernelReport => ({
  name: words(fields, 'name'), dispatches: number(fields, 'dispatches'), median: number(fields, 'median'),
  deviation: number(fields, 'deviation'),
});

const times = (fields: Fields): Omit<Timing, 'rounds'> => ({
  name: words(fields, 'name'), peer: flag(fields, 'peer'), first: number(fields, 'first'), min: number(fields, 'min'),
  median: number(fields, 'median'), deviation: number(fields, 'deviation'),
});

const timing = (fields: Fields): Timing => ({ ...times(fields), rounds: number(fields, 'rounds') });

const leftOut = (fields: Fields): LeftOut => ({ ...named(fields), why: words(fields, 'why') });

const training = (fields: Fields): TrainingReport => ({
  batch: number(fields, 'batch'), crop: number(fields, 'crop'),
  cases: list(fields, 'cases', (one) => ({ ...times(one), peakBytes: number(one, 'peakBytes') })),
});

function named(fields: Fields): { variant: VariantName; size: number } {
  const { variant } = fields;
  if (variant !== 'light' && variant !== 'full') throw new Wrong('variant is neither "light" nor "full"');
  return { variant, size: number(fields, 'size') };
}

function record(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Wrong(`${what} is no object`);
  return value as Fields;
}

const own = (fields: Fields, key: string): unknown => (Object.hasOwn(fields, key) ? fields[key] : undefined);

function optional<T>(fields: Fields, key: string, read: (fields: Fields) => T): T | null {
  const value = own(fields, key);
  return value === null ? null : read(record(value, key));
}

function entries(fields: Fields, key: string): readonly unknown[] {
  const value = own(fields, key);
  if (!Array.isArray(value) || value.length > MOST_ENTRIES) {
    throw new Wrong(`${key} is no list of at most ${MOST_ENTRIES} entries`);
  }
  return value;
}

const list = <T>(fields: Fields, key: string, read: (fields: Fields) => T): T[] =>
  entries(fields, key).map((entry) => read(record(entry, `an entry of ${key}`)));

function words(fields: Fields, key: string): string {
  const value = own(fields, key);
  if (typeof value !== 'string') throw new Wrong(`${key} is no text`);
  return plainText(value, LONGEST);
}

function number(fields: Fields, key: string): number {
  const value = own(fields, key);
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new Wrong(`${key} is no number from 0`);
  return value;
}

function flag(fields: Fields, key: string): boolean {
  const value = own(fields, key);
  if (typeof value !== 'boolean') throw new Wrong(`${key} is neither true nor false`);
  return value;
}
