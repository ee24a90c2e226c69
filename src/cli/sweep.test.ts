import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const start = fileURLToPath(new URL('./start.mjs', import.meta.url));
const tiny = fileURLToPath(new URL('../weights/fixtures/tiny.pth', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-sweep-'));
  expect(cli('--build').status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [start, ...args], { encoding: 'utf8', cwd: folder });
}

/** One sentence for the user, nothing else: no stack trace, nothing written. */
function expectRefusal(expectedStatus: number, ...args: string[]): void {
  const before = readdirSync(folder);
  const { status, stdout, stderr } = cli(...args);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: \S.{10,}\n$/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(expectedStatus);
  expect(readdirSync(folder)).toEqual(before);
}

const ROWS = 20;
const COLUMNS = 27;
const SLICES = 3;

/** A float32 .nii made here from nifti1.h: three discs of growing size on a slope. */
function reference(): string {
  const bytes = new Uint8Array(352 + 4 * ROWS * COLUMNS * SLICES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, COLUMNS, ROWS, SLICES, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true)); // dim
  view.setInt16(70, 16, true); // datatype float32
  view.setInt16(72, 32, true); // bitpix
  [1, 1, 1, 3, 0, 0, 0, 0].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true)); // pixdim
  view.setFloat32(108, 352, true); // vox_offset
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // magic n+1
  for (let i = 0; i < ROWS * COLUMNS * SLICES; i++) {
    const [x, y, z] = [i % COLUMNS, Math.floor(i / COLUMNS) % ROWS, Math.floor(i / COLUMNS / ROWS)];
    const disc = (x - 13) ** 2 + (y - 9) ** 2 < (5 + z) ** 2 ? 900 : 0;
    view.setFloat32(352 + 4 * i, disc + 10 * x, true);
  }
  const path = join(folder, 'reference.nii');
  writeFileSync(path, bytes);
  return path;
}

/** PSNR, SSIM and RMSE of the mean line of `evaluate`. */
function evaluated(input: string): number[] {
  const csv = join(folder, 'evaluated.csv');
  const { status } = cli('evaluate', '--reference', reference(), '--input', input, '--modality', 'mri', '--csv', csv);
  expect(status).toBe(0);
  const rows = readFileSync(csv, 'utf8').trim().split('\n').slice(1).map((row) => row.split(',').slice(-3).map(Number));
  return [0, 1, 2].map((column) => rows.reduce((sum, row) => sum + row[column]!, 0) / rows.length);
}

describe('sweep', () => {
  test('gives at each strength what degrade, restore and evaluate give one after the other', () => {
    const csv = join(folder, 'sweep.csv');
    const common = ['--task', 'mri', '--seed', '3', '--noise', '0.02'];
    const { status, stdout } = cli(
      'sweep', reference(), ...common, '--weights', tiny, '--device', 'cpu', '--json', '--csv', csv,
    );
    expect(status).toBe(0);
    const points = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(points.map(({ strength, model, slices }) => [strength, model, slices])).toEqual([
      [2, null, 3], [2, 'tiny.pth', 3], [4, null, 3], [4, 'tiny.pth', 3],
    ]);

    const low = join(folder, 'low.nii');
    const restored = join(folder, 'restored.nii');
    expect(cli('degrade', reference(), '--out', low, ...common, '--strength', '4').status).toBe(0);
    const network = ['--weights', tiny, '--device', 'cpu', '--modality', 'mri'];
    expect(cli('restore', low, '--out', restored, ...network).status).toBe(0);
    for (const [point, file] of [[points[2]!, low], [points[3]!, restored]] as const) {
      const [psnr, ssim, rmse] = evaluated(file);
      // Both in float64 from float32 images; the file adds no rounding.
      expect(Math.abs((point['psnr'] as number) / psnr! - 1)).toBeLessThan(1e-6);
      expect(Math.abs((point['ssim'] as number) / ssim! - 1)).toBeLessThan(1e-6);
      expect(Math.abs((point['rmse'] as number) / rmse! - 1)).toBeLessThan(1e-6);
    }

    const lines = readFileSync(csv, 'utf8').trimEnd().split('\n');
    expect(lines).toEqual([
      'strength,model,slices,psnr,ssim,rmse',
      ...points.map((p) => [p['strength'], p['model'] ?? 'input', 3, p['psnr'], p['ssim'], p['rmse']].join(',')),
    ]);
  });

  test.for([
    [['2-3'], 2],
    [['every', '2'], 1],
  ] as const)('--slices %s takes %d of three slices', ([slices, count]) => {
    const { status, stdout } = cli(
      'sweep', reference(), '--task', 'pet', '--strengths', '12', '--slices', ...slices, '--weights', tiny,
      '--device', 'cpu', '--json',
    );
    expect(status).toBe(0);
    for (const line of stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ slices: count, strength: 12 });
  });

  test('wrong usage ends with status 2, slices that are not there with status 1', () => {
    const image = reference();
    const mri = [image, '--task', 'mri'];
    const wrong = [
      [],
      [image],
      [image, '--task', 'us'],
      [...mri, '--strengths', '2,3'],
      [...mri, '--strengths', '2,'],
      [...mri, '--slices', '3-2'],
      [...mri, '--slices', 'all'],
      [...mri, '--seed', '-1'],
      [...mri, '--noise', '2'],
      [image, '--task', 'ct', '--noise', '0.1'],
      [...mri, '--csv', image],
    ];
    for (const args of wrong) expectRefusal(2, 'sweep', ...args);
    expectRefusal(1, 'sweep', ...mri, '--slices', '4');
    expectRefusal(1, 'sweep', ...mri, '--csv', join(folder, 'no', 'where.csv'));
  });
});

describe('degrade --noise', () => {
  const degraded = (...args: string[]) => {
    const out = join(folder, 'noisy.nii');
    expect(cli('degrade', reference(), '--out', out, '--task', 'mri', ...args).status).toBe(0);
    return readFileSync(out).subarray(352).toString('hex');
  };

  test('is seeded, and the same for --noise 0 and for none', () => {
    const noisy = degraded('--noise', '0.05', '--seed', '1');
    expect(degraded('--noise', '0.05', '--seed', '1')).toBe(noisy);
    expect(degraded('--noise', '0.05', '--seed', '2')).not.toBe(noisy);
    expect(degraded('--noise', '0')).toBe(degraded());
  });

  test('is refused for tasks that have noise of their own, and beyond the signal', () => {
    expectRefusal(2, 'degrade', reference(), '--out', 'out.nii', '--task', 'pet', '--noise', '0.1');
    expectRefusal(2, 'degrade', reference(), '--out', 'out.nii', '--task', 'mri', '--noise', '-0.1');
  });
});
