import { describe, expect, test } from 'vitest';
import { CASE, REPORT, timing } from '../engine/deviceReport.fixture.ts';
import { ON_DEVICE, type DeviceReport } from '../engine/deviceReport.ts';
import { comparisonText, compareReports, expectComparable, isSlower } from './benchCompare.ts';
import { RefusedError } from './errors.ts';

type Pair = [median: number, deviation: number];

/** The report with other times of the engine and of its linear kernel. */
function changed(engine: Pair, linear: Pair = [6, 0.1], peer = 80): DeviceReport {
  const kernels = [{ ...CASE.plan!.kernels![0]!, median: linear[0], deviation: linear[1] }, CASE.plan!.kernels![1]!];
  const timings = [timing(ON_DEVICE, ...engine), timing('stock tfjs-webgpu, with read-back', peer, 1, true)];
  return { ...REPORT, cases: [{ ...CASE, plan: { ...CASE.plan!, kernels }, timings }] };
}
const verdicts = (after: DeviceReport, before = REPORT) => compareReports(before, after).map(({ verdict }) => verdict);

describe('bench --compare', () => {
  test.each([
    // 8 ± 0.2 before: 10 % is 0.8, three deviations 0.6.
    [[8.7, 0.1], 'same'],
    [[8.9, 0.1], 'slower'],
    [[8.9, 0.4], 'same'],
    [[7.1, 0.1], 'faster'],
    [[7.3, 0.1], 'same'],
  ] as const)('an engine of 8 ± 0.2 ms that takes %o is %s', (engine, verdict) => {
    expect(verdicts(changed([...engine]))).toEqual([verdict, 'same', 'same', 'same']);
  });

  test('says which kernel got slower, and what an unchanged peer says of the machine', () => {
    const changes = compareReports(REPORT, changed([8, 0.2], [7.2, 0.1], 100));
    expect(changes.filter(({ verdict }) => verdict === 'slower').map(({ case: name, what }) => [name, what])).toEqual([
      ['light 128²', 'stock tfjs-webgpu, with read-back'], ['light 128²', 'linear'],
    ]);
    expect(isSlower(changes)).toBe(true);
    const text = comparisonText(changes);
    expect(text).toMatch(/^slower {2}light 128² +linear +6\.00 ± 0\.10 ms → 7\.20 ± 0\.10 ms, \+20 %$/m);
    expect(text).toMatch(/the machine is another or busy/);
    expect(text).toMatch(/^1 slower, 0 faster, 2 the same within noise$/m);
    expect(isSlower(compareReports(REPORT, changed([8, 0.2], [6, 0.1], 100)))).toBe(false);
  });

  test('a kernel that changes by less than a hundredth of the image is noise', () => {
    const before = changed([8, 0.2], [0.1, 0]);
    expect(verdicts(changed([8, 0.2], [0.17, 0]), before)[2]).toBe('same');
    expect(verdicts(changed([8, 0.2], [0.19, 0]), before)[2]).toBe('slower');
  });

  test('refuses other devices, other processors under software rendering, and reports without a common case', () => {
    const adapter = { ...REPORT.adapter!, name: 'Other GPU' };
    expect(() => expectComparable({ ...REPORT, adapter }, REPORT)).toThrow(RefusedError);
    expect(() => expectComparable({ ...REPORT, adapter }, REPORT)).toThrow('is of Other GPU, this one of Some GPU');
    expect(() => expectComparable({ ...REPORT, adapter: null }, REPORT)).toThrow('older report is of no WebGPU');
    const half = { ...REPORT, adapter: { ...REPORT.adapter!, precision: 'f16' as const } };
    expect(() => expectComparable(REPORT, half)).toThrow('the older report is of f32, this one of f16');
    const machine = { ...REPORT, machine: 'Another' };
    expect(() => expectComparable(machine, REPORT)).not.toThrow();
    const soft = (report: DeviceReport) => ({ ...report, adapter: { ...report.adapter!, software: true } });
    expect(() => expectComparable(soft(REPORT), soft(machine))).toThrow('compare on one processor');
    const full = { ...REPORT, cases: [{ ...CASE, variant: 'full' as const }] };
    expect(() => expectComparable(full, REPORT)).toThrow('one has full 128², the other light 128²');
  });
});
