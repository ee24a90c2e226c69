import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ON_DEVICE, REPORT_KIND, REPORT_SCHEMA, type DeviceReport, type Timing } from '../engine/deviceReport.ts';
import { measureTorch, torchMarkdown, torchRatios, torchText, type TorchRow } from './benchTorch.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-torch-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const CASES = [{ variant: 'light', size: 128 }, { variant: 'light', size: 256 }, { variant: 'full', size: 128 }] as const;
const options = { cases: CASES, training: false, budget: 20_000 };

const FAKE = `
import argparse, json
ap = argparse.ArgumentParser()
ap.add_argument('--sizes'); ap.add_argument('--variant'); ap.add_argument('--train', action='store_true')
a = ap.parse_args()
say = lambda **k: print(json.dumps(dict(device='NVIDIA H100 PCIe', torch='2.5.1', variant=a.variant, **k)), flush=True)
print('a line of a library')
if a.train:
    say(case='train step, batch 4 at 128', mode='eager float32', ms=40.0)
else:
    for size in a.sizes.split(','):
        for mode, ms in (
            ('eager float32', 8), ('eager float32 tf32', 3), ('compiled float32', 5.5), ('eager float16 autocast', 4)):
            say(case=f'{size}x{size}', mode=mode, ms=ms * int(size) / 128)
`;

const timing = (name: string, median: number, peer = false): Timing =>
  ({ name, peer, first: median, min: median, median, deviation: 0, rounds: 10 });
const report = (precision: 'f32' | 'f16', median: number): DeviceReport => ({
  kind: REPORT_KIND, schema: REPORT_SCHEMA, date: '2025-01-31', machine: 'a machine', leftOut: [],
  adapter: { name: 'GPU', software: false, features: [], precision, rates: { bytesPerSecond: 1e12, flopsPerSecond: 1e13 } },
  cases: [{
    variant: 'light', size: 256, flops: 1e9, plan: null,
    timings: [
      timing(ON_DEVICE, median), timing('engine, with read-back', 2 * median), timing('wasm fallback, 2 threads', 25),
      timing('stock tfjs', 1, true),
    ],
  }],
  training: {
    batch: 4, crop: 128,
    cases: [{ ...timing('our kernels', 30), peakBytes: 1 }, { ...timing('stock tfjs', 90, true), peakBytes: 1 }],
  },
});

describe('PyTorch\'s times', () => {
  test('come from a script, for each variant with its sizes and for training', async () => {
    const { rows, leftOut } = await measureTorch(script('fake.py', FAKE), { ...options, training: true });
    expect(leftOut).toEqual([]);
    expect(rows).toHaveLength(3 * 4 + 1);
    expect(rows[0]).toEqual({
      device: 'NVIDIA H100 PCIe', torch: '2.5.1', variant: 'light', case: '128x128', mode: 'eager float32', ms: 8,
    });
    expect([...new Set(rows.map((row) => `${row.variant} ${row.case}`))])
      .toEqual(['light 128x128', 'light 256x256', 'full 128x128', 'light train step, batch 4 at 128']);
  });

  test('are left out in a line where Python is not installed', async () => {
    expect(await measureTorch(script('fake.py', FAKE), { ...options, python: 'no-such-python' }))
      .toEqual({ rows: [], leftOut: ['no-such-python is not installed'] });
  });

  test('are left out in a line where PyTorch is not installed', async () => {
    expect(await measureTorch(script('missing.py', 'import no_such_torch\n'), options))
      .toEqual({ rows: [], leftOut: ['Python has no module "no_such_torch"'] });
  });

  test('are those that there were when a variant failed', async () => {
    const failing = `${FAKE}\nif a.variant == 'full': raise MemoryError('CUDA out of memory')\n`;
    const { rows, leftOut } = await measureTorch(script('failing.py', failing), options);
    expect(rows).toHaveLength(12);
    expect(leftOut).toEqual(['full: MemoryError: CUDA out of memory']);
  });

  test('end with the time that a case may take', async () => {
    const row = JSON.stringify({ device: 'cpu', torch: '2', variant: 'light', case: '8x8', mode: 'eager float32', ms: 1 });
    const path = script('slow.py', `import time\nprint('${row}', flush=True)\ntime.sleep(60)\n`);
    const { rows, leftOut } = await measureTorch(path, { ...options, cases: [CASES[0]], budget: 2000 });
    expect(rows).toHaveLength(1);
    expect(leftOut).toEqual(['light: it took more than 2 s']);
  });

  test('are rows alone, whatever else is printed', async () => {
    const rows = [
      'null', '[]', '{"variant": "light"}', '{', '1'.repeat(1000),
      JSON.stringify({ device: 'a|b', torch: '2', variant: 'light', case: '8x8', mode: '`m`', ms: 1 }),
      JSON.stringify({ device: 'cpu', torch: '2', variant: 'light', case: '8x8', mode: 'eager', ms: -1 }),
      JSON.stringify({ device: 'cpu', torch: '2', variant: 'huge', case: '8x8', mode: 'eager', ms: 1 }),
    ];
    const path = script('odd.py', `print(${JSON.stringify(rows.join('\n'))})\n`);
    expect((await measureTorch(path, { ...options, cases: [CASES[0]] })).rows)
      .toEqual([{ device: 'a b', torch: '2', variant: 'light', case: '8x8', mode: 'm', ms: 1 }]);
  });

  test('that are none are said to be none', async () => {
    const { leftOut } = await measureTorch(script('silent.py', ''), { ...options, cases: [CASES[0]] });
    expect(leftOut).toEqual([expect.stringMatching(/printed no times$/)]);
  });
});

describe('ours against PyTorch\'s', () => {
  const row = (mode: string, ms: number, more: Partial<TorchRow> = {}): TorchRow =>
    ({ device: 'NVIDIA H100 PCIe', torch: '2.5.1', variant: 'light', case: '256x256', mode, ms, ...more });
  const rows = [
    row('eager float32', 8), row('eager float32 tf32', 3), row('compiled float32', 5), row('compiled float16 autocast', 2.5),
    row('eager float32', 1, { case: '128x128' }), row('eager float32', 1, { variant: 'full' }),
    row('eager float32', 40, { case: 'train step, batch 4 at 128' }),
  ];

  test('are in float32 without tf32, the best of eager and compiled', () => {
    const ratios = torchRatios(report('f32', 2), rows);
    expect(ratios.map(({ case: what, ours, theirs, ratio }) => [what, ours, theirs.mode, ratio])).toEqual([
      ['light 256x256', ON_DEVICE, 'compiled float32', 0.4],
      ['train step, batch 4 at 128', 'our kernels', 'eager float32', 0.75],
    ]);
  });

  test('are in float16 where ours is', () => {
    expect(torchRatios(report('f16', 2), rows)[0]).toMatchObject({ theirs: { mode: 'compiled float16 autocast' }, ratio: 0.8 });
    expect(torchRatios(report('f16', 2), [rows[0]!])[0]).toMatchObject({ theirs: { mode: 'eager float32' }, ratio: 0.25 });
  });

  test('are on the processor where PyTorch is', () => {
    expect(torchRatios(report('f32', 2), [row('eager float32', 50, { device: 'cpu' })]))
      .toMatchObject([{ ours: 'wasm fallback, 2 threads', ratio: 0.5 }]);
  });

  test('are not of a training step of another size', () => {
    const other = { ...report('f32', 2), training: { ...report('f32', 2).training!, batch: 2 } };
    expect(torchRatios(other, rows)).toHaveLength(1);
  });

  test('are shown with all rows', () => {
    const torch = { rows: rows.slice(0, 4), leftOut: ['full: it took more than 2 s'] };
    expect(torchText(report('f32', 2), torch)).toEqual([
      'PyTorch 2.5.1 on NVIDIA H100 PCIe',
      'PyTorch eager float32                median 8.00 ms; light 256x256',
      'PyTorch eager float32 tf32           median 3.00 ms; light 256x256',
      'PyTorch compiled float32             median 5.00 ms; light 256x256',
      'PyTorch compiled float16 autocast    median 2.50 ms; light 256x256',
      `light 256x256: ${ON_DEVICE} / PyTorch compiled float32: 0.400`,
      'PyTorch left out: full: it took more than 2 s',
    ]);
    const markdown = torchMarkdown(report('f32', 2), torch).split('\n');
    expect(markdown).toContain(`| light 256x256 | compiled float32 | 5.00 ms | 0.40×, ${ON_DEVICE} |`);
    expect(markdown).toContain('| light 256x256 | eager float32 | 8.00 ms | – |');
    expect(markdown.at(-1)).toBe('- PyTorch left out: full: it took more than 2 s');
  });
});
