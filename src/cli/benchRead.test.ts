import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CASE, REPORT, timing } from '../engine/deviceReport.fixture.ts';
import { readReport, readReportFile } from './benchRead.ts';
import { RefusedError } from './errors.ts';

const read = (value: unknown) => readReport('old.json', JSON.stringify(value));
const altered = (path: string, value: unknown): unknown => {
  const copy = structuredClone(REPORT) as unknown as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop()!;
  const at = keys.reduce<Record<string, unknown>>((part, key) => part[key] as Record<string, unknown>, copy);
  at[last] = value;
  return copy;
};

describe('a bench report', () => {
  test('reads as it was written', () => {
    const training = { batch: 2, crop: 64, cases: [{ ...timing('our kernels', 9, 1), peakBytes: 5 }] };
    const { rounds, ...step } = training.cases[0]!;
    expect(rounds).toBe(10);
    const report = {
      ...REPORT, leftOut: [{ variant: 'full', size: 512, why: 'too slow' }], training: { ...training, cases: [step] },
    };
    expect(read(report)).toEqual(report);
    expect(read({ ...REPORT, adapter: null, cases: [{ ...CASE, plan: null }] }).adapter).toBeNull();
  });

  test.each([
    ['kind', 'else', 'kind is not'],
    ['schema', 2, 'its schema is not 1'],
    ['machine', 7, 'machine is no text'],
    ['adapter', 'GPU', 'adapter is no object'],
    ['adapter.software', 1, 'software is neither true nor false'],
    ['adapter.precision', 'f8', 'precision is neither "f32" nor "f16"'],
    ['adapter.features', [1], 'feature is no text'],
    ['adapter.rates.bytesPerSecond', -1, 'bytesPerSecond is no number from 0'],
    ['cases', {}, 'cases is no list'],
    ['cases', Array(2000).fill(CASE), 'cases is no list of at most 1024'],
    ['cases.0', null, 'an entry of cases is no object'],
    ['cases.0.variant', 'tiny', 'variant is neither "light" nor "full"'],
    ['cases.0.plan.floor', [], 'floor is no object'],
    ['cases.0.plan.kernels.1.median', '2', 'median is no number'],
    ['cases.0.timings.0.median', null, 'median is no number'],
    ['leftOut', undefined, 'leftOut is no list'],
    ['training', [], 'training is no object'],
  ])('whose %s is %j is refused', (path, value, sentence) => {
    expect(() => read(altered(path, value))).toThrow(RefusedError);
    expect(() => read(altered(path, value))).toThrow(`old.json: this is no bench report, ${sentence}`);
  });

  test.each(['', '[', '[]', 'null', '7', '{"__proto__":{"kind":"restore-rwkv bench"}}', '\0\0', '['.repeat(1e5)])(
    'is not %j', (text) => {
      expect(() => readReport('old.json', text)).toThrow(RefusedError);
    });

  test('keeps no control characters of its texts', () => {
    expect(read(altered('machine', 'a\u001b[2J<b>')).machine).toBe('a [2J b');
  });

  test('is read from a file of at most 4 MiB, and from nothing but a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-bench-'));
    const path = join(folder, 'r.json');
    writeFileSync(path, JSON.stringify(REPORT));
    expect(await readReportFile(path)).toEqual(REPORT);
    await expect(readReportFile(folder)).rejects.toThrow('this is no file');
    writeFileSync(path, ' '.repeat(2 ** 22 + 1));
    await expect(readReportFile(path)).rejects.toThrow('are too many for a bench report');
    rmSync(folder, { recursive: true });
  });
});
