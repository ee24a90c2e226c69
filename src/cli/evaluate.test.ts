import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import { UsageError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { matchImages } from './evaluateMatch.ts';
import { joinEvery, slicesOption } from './slicesOption.ts';

const start = fileURLToPath(new URL('./start.mjs', import.meta.url));
const tiny = readSafetensors(
  new Uint8Array(readFileSync(new URL('../weights/fixtures/tiny.safetensors', import.meta.url))),
).tensors;
const card = JSON.parse(
  readFileSync(new URL('../../public/weights/light-all-in-one.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-evaluate-'));
  expect(cli('--build').status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [start, ...args], { encoding: 'utf8', cwd: folder });
  return { status, stdout, stderr: stderr.split('\n').filter((line) => line && !line.startsWith('Warning: ')) };
}

/** One sentence for the user on stderr, nothing on stdout. */
function expectRefusal(args: readonly string[], sentence: RegExp): void {
  const { status, stdout, stderr } = cli('evaluate', ...args);
  expect(stdout).toBe('');
  expect(stderr.at(-1)).toMatch(sentence);
  expect(stderr.at(-1)).toMatch(/^error: /);
  expect(status).toBe(1);
}

const ROWS = 24;
const COLUMNS = 20;

/** A float32 .nii made here from nifti1.h: slices of ROWS × COLUMNS. */
function nii(name: string, value: (row: number, column: number, slice: number) => number, slices = 1): string {
  const count = ROWS * COLUMNS * slices;
  const bytes = new Uint8Array(352 + 4 * count);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, COLUMNS, ROWS, slices, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true)); // dim
  view.setInt16(70, 16, true); // datatype float32
  view.setInt16(72, 32, true); // bitpix
  [1, 0.9, 0.9, 2, 0, 0, 0, 0].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true)); // pixdim
  view.setFloat32(108, 352, true); // vox_offset
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // magic n+1
  for (let i = 0; i < count; i++) {
    const [column, row, slice] = [i % COLUMNS, Math.floor(i / COLUMNS) % ROWS, Math.floor(i / COLUMNS / ROWS)];
    view.setFloat32(352 + 4 * i, value(row, column, slice), true);
  }
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const values = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer, 352);

/** 0 … 230 HU by rows, `offset` more in all of the slice. */
const ramp = (...offsets: readonly number[]) => (row: number, _: number, slice: number) =>
  row * 10 + (offsets[slice] ?? 0);

function weights(name: string, metadata: Readonly<Record<string, string>>): string {
  writeFileSync(join(folder, name), writeSafetensors(tiny, metadata));
  return join(folder, name);
}

describe('evaluate of files', () => {
  test('has the rows input, restored and other, and paired tests of the last two', () => {
    const reference = nii('reference.nii', ramp(0, 0, 0), 3);
    const low = nii('low.nii', ramp(40, 30, 50), 3);
    const restored = nii('restored.nii', ramp(10, 12, 17), 3);
    const other = nii('other.nii', ramp(12, 20, 18), 3);
    const args = [
      '--reference', reference, '--input', restored, '--input-row', low, '--against', other, '--modality', 'ct',
    ];
    const { status, stdout } = cli('evaluate', ...args, '--json');
    expect(status).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ images: 1, slices: 3, units: 'HU' });
    // An offset is the RMSE as long as nothing leaves −160 … 240 HU; that of the rows above is clamped.
    const rows = report.methods as { name: string; rmse: { mean: number } }[];
    expect(rows.map(({ name }) => name)).toEqual(['Input', 'Restored', 'Other']);
    const clamped = (offset: number) => {
      const squares = Array.from({ length: ROWS }, (_, row) => (Math.min(row * 10 + offset, 240) - row * 10) ** 2);
      return Math.sqrt(squares.reduce((sum, square) => sum + square) / ROWS);
    };
    const mean = (offsets: number[]) => offsets.reduce((sum, offset) => sum + clamped(offset), 0) / offsets.length;
    for (const [i, offsets] of [[40, 30, 50], [10, 12, 17], [12, 20, 18]].entries()) {
      expect(rows[i]!.rmse.mean).toBeCloseTo(mean(offsets), 9);
    }
    const test = (report.tests as Record<string, unknown>[]).find(({ metric }) => metric === 'rmse')!;
    // Three differences of one sign: p = 2 / 2³ whatever they are.
    expect(test).toMatchObject({ first: 'Restored', second: 'Other', pairs: 3, wilcoxon: { statistic: 0, p: 0.25 } });
    expect(test['meanDifference']).toBeCloseTo(mean([10, 12, 17]) - mean([12, 20, 18]), 9);

    const markdown = cli('evaluate', ...args, '--markdown').stdout.split('\n');
    expect(markdown[0]).toBe('| Method | PSNR↑ | SSIM↑ | RMSE↓ (HU) |');
    expect(markdown[3]).toMatch(/^\| Restored \| \*\*\d\d\.\d\d ± \d\.\d\d\*\* \| /);
    expect(markdown[6]).toBe('| Difference | Metric | Mean | t-test p | Wilcoxon p | Pairs |');
  });

  test('takes folders as one set, images matched by name whatever their format, other files passed over', () => {
    for (const name of ['truth', 'done']) mkdirSync(join(folder, name));
    nii('truth/a.nii', ramp(0));
    nii('truth/b.nii', ramp(0, 0), 2);
    writeFileSync(join(folder, 'truth', 'a.json'), '{}');
    nii('done/b.nii', ramp(2, 4), 2);
    nii('done/a.hdr', ramp(6));
    nii('done/c.nii', ramp(99));
    const csv = join(folder, 'set.csv');
    const { status, stdout, stderr } = cli(
      'evaluate', '--reference', 'truth', '--input', 'done', '--modality', 'ct', '--csv', csv,
    );
    expect(status).toBe(0);
    expect(stderr).toContain('note: 1 of 3 images in done have no reference and are left out');
    // Offsets 6, 2 and 4 HU: mean 4, deviation 2.
    expect(stdout).toMatch(/^Input {2,}\S+ ± \S+ {2}\S+ ± \S+ {2}4\.0000 ± 2\.0000$/m);
    expect(stdout).toContain('mean ± sd of 3 slices of 2 images');
    const lines = readFileSync(csv, 'utf8').trim().split('\n').map((line) => line.split(','));
    expect(lines.map(([image, slice, method, , , rmse]) => [image, slice, method, rmse])).toEqual([
      ['image', 'slice', 'method', 'rmse'],
      ['a', '1', 'Input', '6'], ['b', '1', 'Input', '2'], ['b', '2', 'Input', '4'],
    ]);
    rmSync(join(folder, 'done', 'b.nii'));
    const args = ['--reference', 'truth', '--input', 'done', '--modality', 'ct'];
    expectRefusal(args, /done has no image named b \(1 of 2 references/);
  });

  test.each([
    [['--reference', 'r', '--input', 'i', '--task', 'ct'], /--task is for --weights/],
    [['--weights', 'w', '--reference', 'r', '--task', 'ct'], /--reference is for images/],
    [['--weights', 'w', '--data', 'r'], /--task is missing/],
    [['--weights', 'w', '--task', 'ct'], /--data is missing/],
    [['--weights', 'w', '--data', 'r', '--task', 'ct', '--strength', '7'], /--strength 7 is not simulated for ct/],
    [['--reference', 'r', '--input', 'i', '--json', '--markdown'], /exclude each other/],
    [['--reference', 'r', '--input-row', 'i'], /--input is missing/],
  ])('refuses %j as wrong usage', async (args, sentence) => {
    const refusal: unknown = await evaluate(args).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    expect((refusal as UsageError).message).toMatch(sentence);
  });
});

describe('evaluate of models', () => {
  const disc = (row: number, column: number, slice: number) =>
    (row - 12) ** 2 + (column - 10 - slice) ** 2 < 60 ? 40 + 3 * row : -900;
  const range = (low: number, high: number) => JSON.stringify({ ct: { rule: 'range', from: [low, high] } });

  test('gives what degrade, restore and evaluate give one after the other, for each model', { timeout: 60_000 }, () => {
    const reference = nii('disc.nii', disc, 3);
    const paper = weights('paper.safetensors', {});
    const own = weights('own.safetensors', { name: 'My own', normalisation: range(-1000, 1000) });
    const json = cli(
      'evaluate', '--weights', own, '--against', paper, '--data', reference, '--task', 'ct', '--strength', '0.1',
      '--seed', '5', '--device', 'cpu', '--json',
    );
    expect(json.status).toBe(0);
    const { methods, tests, slices } = JSON.parse(json.stdout);
    expect(slices).toBe(3);
    expect(methods.map(({ name }: { name: string }) => name)).toEqual(['Input', 'My own', 'paper.safetensors']);
    expect(methods.map(({ parameters }: { parameters: number }) => parameters)).toEqual([null, 58609, 58609]);
    expect(tests.map(({ first, second }: Record<string, string>) => [first, second])).toEqual(
      Array(3).fill(['My own', 'paper.safetensors']),
    );

    const low = join(folder, 'disc-low.nii');
    cli('degrade', reference, '--out', low, '--task', 'ct', '--strength', '0.1', '--seed', '5');
    const steps = [own, paper].map((file) => {
      const out = join(folder, `disc-${basename(file)}.nii`);
      const made = cli('restore', low, '--out', out, '--weights', file, '--modality', 'ct', '--device', 'cpu');
      expect(made.status).toBe(0);
      const files = ['--reference', reference, '--input', out, '--input-row', low];
      return JSON.parse(cli('evaluate', ...files, '--modality', 'ct', '--json').stdout).methods;
    });
    // The same float32 numbers on the way, so the same figures.
    for (const metric of ['psnr', 'ssim', 'rmse']) {
      expect(methods[0][metric]).toEqual(steps[0][0][metric]);
      expect(methods[1][metric]).toEqual(steps[0][1][metric]);
      expect(methods[2][metric]).toEqual(steps[1][1][metric]);
    }
    expect(methods[1].rmse.mean).not.toBe(methods[2].rmse.mean);
  });

  test('gives the same figures for a scan at twice the scale where the normalisation follows the data', () => {
    const normalisation = JSON.stringify({ mri: { rule: 'percentile', percentile: 99, times: 0.6 } });
    const own = weights('percentile.safetensors', { normalisation });
    const figures = [1, 2].map((scale) => {
      const reference = nii(`head-${scale}.nii`, (...at) => scale * (disc(...at) + 900), 2);
      const args = ['--weights', own, '--data', reference, '--task', 'mri', '--slices', 'every', '2'];
      const { status, stdout } = cli('evaluate', ...args, '--device', 'cpu', '--json');
      expect(status).toBe(0);
      return JSON.parse(stdout);
    });
    expect(figures[0]).toMatchObject({ slices: 1, units: 'of 0 … 4095' });
    // Doubling is exact in float32.
    expect(figures[1].methods).toEqual(figures[0].methods);
  });

  test('leaves out slices of one value, and refuses data without any other', () => {
    const own = weights('paper.safetensors', {});
    const empty = nii('empty.nii', () => -1000, 2);
    const args = ['--weights', own, '--data', empty, '--task', 'ct', '--device', 'cpu'];
    expectRefusal(args, /no slice in .*empty\.nii can be evaluated/);
  });
});

describe('the normalisation of weights', () => {
  // Values that each range maps to one and the same image in [0, 1]: the network's output is then one and the same.
  const image = (scale: number) =>
    nii(`norm-${scale}.nii`, (row, column) => ((row * 3 + column * 5) % 17) / 20 * scale);
  const restored = (file: string, scale: number) => {
    const out = join(folder, 'norm-out.nii');
    const args = [image(scale), '--out', out, '--weights', file, '--modality', 'mri', '--device', 'cpu'];
    const { status, stderr } = cli('restore', ...args);
    expect(stderr.at(-1)).toMatch(/^device: /);
    expect(status).toBe(0);
    return values(out).map((value) => value / scale);
  };
  const rule = (high: number) => ({ mri: { rule: 'range', from: [0, high] } });
  const expectAlike = (one: Float32Array, other: Float32Array) =>
    // Two float32 roundings of values up to 1, on the way in and on the way out.
    expect(one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0)).toBeLessThan(1e-5);

  test('is the paper\'s without a word, the file\'s own where it has one, the card\'s beside it before that', () => {
    const none = restored(weights('none.safetensors', { format: 'pt' }), 4095);
    const file = weights('file.safetensors', { normalisation: JSON.stringify(rule(800)) });
    expectAlike(restored(file, 800), none);
    const beside = { ...card, file: 'file.safetensors', normalisation: rule(500) };
    writeFileSync(join(folder, 'file.json'), JSON.stringify(beside));
    expectAlike(restored(file, 500), none);
    const { stdout } = cli('inspect', '--json', file);
    expect(JSON.parse(stdout)).toMatchObject({ name: card['name'], normalisation: rule(500) });
    rmSync(join(folder, 'file.json'));
    expect(JSON.parse(cli('inspect', '--json', file).stdout)).toMatchObject({ normalisation: rule(800) });
    expect(cli('inspect', file).stdout).toContain('MRI: 0 … 800 becomes 0 … 1.');
  });

  test('that is damaged is refused in one sentence', () => {
    const bad = weights('bad.safetensors', { normalisation: '{"mri": {"rule": "range", "from": [5, 5]}}' });
    const out = join(folder, 'never.nii');
    const restore = ['restore', image(4095), '--out', out, '--weights', bad, '--modality', 'mri'];
    for (const args of [restore, ['inspect', bad]]) {
      const { status, stdout, stderr } = cli(...args);
      expect(stdout).toBe('');
      expect(stderr.at(-1)).toMatch(/^error: .* normalisation\.mri\.from is \[5,5\]; expected two rising numbers$/);
      expect(status).toBe(1);
    }
  });
});

describe('which slices', () => {
  test('are counted from 1; of every N the middle one', () => {
    const of = (text: string | undefined, slices: number) => slicesOption('evaluate', text)(slices);
    expect(of(undefined, 3)).toEqual([0, 1, 2]);
    expect(of('2-3', 7)).toEqual([1, 2]);
    expect(of('7', 7)).toEqual([6]);
    expect(of('every 4', 11)).toEqual([2, 6, 10]);
    expect(of('every 9', 3)).toEqual([1]);
    expect(of('8-9', 7)).toEqual([]);
  });

  test('are refused where they are none', () => {
    for (const text of ['', '0', '5-3', 'every', 'every 0', '1-', 'all']) {
      expect(() => slicesOption('evaluate', text)).toThrow(/^evaluate: --slices is ".*"; it can be/);
    }
  });

  test('need no quotes', () => {
    expect(joinEvery(['--slices', 'every', '5', 'x'])).toEqual(['--slices', 'every 5', 'x']);
    expect(joinEvery(['--slices=every', '5'])).toEqual(['--slices=every 5']);
    expect(joinEvery(['--weights', 'every', '5'])).toEqual(['--weights', 'every', '5']);
  });
});

describe('images that belong together', () => {
  test('are single files and folders of one image as they are', async () => {
    mkdirSync(join(folder, 'one'));
    nii('one/x.nii', ramp(0));
    const y = nii('y.nii', ramp(0));
    expect(await matchImages([y, join(folder, 'one')])).toEqual([{ name: 'y', paths: [[y], [join(folder, 'one')]] }]);
  });

  test('are a file and the one of its name in a folder of several', async () => {
    mkdirSync(join(folder, 'several'));
    const wanted = [nii('several/y.nii', ramp(0)), nii('several/z.nii', ramp(0))][0]!;
    const y = join(folder, 'y.nii');
    expect(await matchImages([y, join(folder, 'several')])).toEqual([{ name: 'y', paths: [[y], [wanted]] }]);
  });
});
