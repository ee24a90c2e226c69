import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIGHT } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';

const start = fileURLToPath(new URL('./start.mjs', import.meta.url));
const checkpoint = (name: string) => fileURLToPath(new URL(`../weights/fixtures/${name}`, import.meta.url));
const checkpoints = readdirSync(checkpoint('')).filter((name) => /^(tiny|bad)/.test(name));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-cli-'));
  expect(cli('--build').status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  /** Without what Dawn itself prints about its limits. */
  readonly stderr: string[];
}

function cli(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [start, ...args], { encoding: 'utf8', cwd: folder });
  return { status, stdout, stderr: stderr.split('\n').filter((line) => line && !line.startsWith('Warning: ')) };
}

/** One sentence for the user, nothing else: no stack trace. */
function expectRefusal({ status, stdout, stderr }: Outcome, expectedStatus: number): void {
  expect(stdout).toBe('');
  expect(stderr.filter((line) => line.startsWith('error: '))).toHaveLength(1);
  expect(stderr.at(-1)).toMatch(/^error: \S.{10,}/);
  expect(stderr.join('\n')).not.toMatch(/^\s+at /m);
  expect(status).toBe(expectedStatus);
}

interface Plane {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

function fixture(name: string): { x: Plane; y: Plane } {
  const bytes = new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
  const { tensors } = readSafetensors(bytes);
  const plane = (key: string): Plane => {
    const { shape: [rows, columns], data } = tensors.get(key)!;
    return { rows, columns, data: Float32Array.from(data) };
  };
  return { x: plane('x'), y: plane('y') };
}

/** A float32 .nii made here from nifti1.h, so that the project's own writer is not its own witness. */
function writeNii(name: string, { rows, columns, data }: Plane): string {
  const bytes = new Uint8Array(352 + 4 * data.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, columns, rows, 1, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true)); // dim
  view.setInt16(70, 16, true); // datatype float32
  view.setInt16(72, 32, true); // bitpix
  [1, 0.5, 0.75, 2, 0, 0, 0, 0].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true)); // pixdim
  view.setFloat32(108, 352, true); // vox_offset
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // magic n+1
  data.forEach((value, i) => view.setFloat32(352 + 4 * i, value, true));
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

function readNii(path: string): { dims: number[]; datatype: number; data: Float32Array } {
  const bytes = new Uint8Array(readFileSync(path));
  const view = new DataView(bytes.buffer);
  const dims = [1, 2, 3].map((i) => view.getInt16(40 + 2 * i, true));
  return { dims, datatype: view.getInt16(70, true), data: new Float32Array(bytes.buffer, view.getFloat32(108, true)) };
}

/** Largest difference, relative to the largest expected value. */
function relativeError(got: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return got.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0) / largest;
}

describe('restore --raw', () => {
  test('a golden input with weights of the recipe gives the golden output, through files on both sides', () => {
    const { x, y } = fixture('golden-light-48x80.safetensors');
    const weights = join(folder, 'recipe.safetensors');
    writeFileSync(weights, writeSafetensors(hashedStateDict(LIGHT, 0), {}));
    const out = join(folder, 'golden-out.nii');
    const { status, stderr } = cli('restore', writeNii('golden.nii', x), '--out', out, '--weights', weights, '--raw');
    expect(stderr.at(-1)).toMatch(/^device: \S/);
    expect(status).toBe(0);
    const got = readNii(out);
    expect(got.dims).toEqual([80, 48, 1]);
    expect(got.datatype).toBe(16);
    // The bound for a float32 engine against vectors computed in float64.
    expect(relativeError(got.data, y.data)).toBeLessThan(2e-5);
  });

  test.for(checkpoints.filter((name) => name.startsWith('tiny')))('%s gives the expected output', (name) => {
    const { x, y } = fixture('tiny-expected.safetensors');
    const out = join(folder, `${name}.nii`);
    const { status } = cli('restore', writeNii('tiny.nii', x), '--out', out, '--weights', checkpoint(name), '--raw');
    expect(status).toBe(0);
    // Half has 11 significant bits and bfloat16 has 8: their rounding of weights shows in the output.
    const tolerance = name.includes('bfloat16') ? 1e-2 : name.includes('half') ? 1e-3 : 2e-5;
    expect(relativeError(readNii(out).data, y.data)).toBeLessThan(tolerance);
  });

  test.for(['wasm', 'cpu'])('--device %s gives what the default device gives, on a size that is no multiple of 8', (device) => {
    const { x } = fixture('tiny-expected.safetensors');
    // A cut of 37 rows and 43 columns: padding and cropping take part.
    const data = Float32Array.from({ length: 37 * 43 }, (_, i) => x.data[Math.floor(i / 43) * x.columns + (i % 43)]);
    const input = writeNii('odd.nii', { rows: 37, columns: 43, data });
    const restored = [['--device', device], []].map((choice) => {
      const out = join(folder, `odd-${choice.length}.nii`);
      const { status } = cli('restore', input, '--out', out, '--weights', checkpoint('tiny.pth'), '--raw', ...choice);
      expect(status).toBe(0);
      return readNii(out);
    });
    expect(restored[0].dims).toEqual([43, 37, 1]);
    expect(relativeError(restored[0].data, restored[1].data)).toBeLessThan(5e-5);
    expect(relativeError(restored[0].data, data)).toBeGreaterThan(1e-3);
  });
});

describe('what is refused', () => {
  test.for(checkpoints.filter((name) => name.startsWith('bad')))('%s ends with status 1 and one sentence', (name) => {
    const { x } = fixture('tiny-expected.safetensors');
    const before = readdirSync(folder);
    const out = join(folder, 'never.nii');
    expectRefusal(cli('restore', writeNii('tiny.nii', x), '--out', out, '--weights', checkpoint(name), '--raw'), 1);
    expectRefusal(cli('inspect', '--json', checkpoint(name)), 1);
    expect(readdirSync(folder).filter((file) => !before.includes(file) && file !== 'tiny.nii')).toEqual([]);
  });

  test('a file that is not there, one that is no image, and a folder that is not there end with status 1', () => {
    const text = join(folder, 'letter.txt');
    writeFileSync(text, 'Dear reader,\u001b[31m this is no image.');
    expectRefusal(cli('inspect', join(folder, 'nowhere.nii')), 1);
    expectRefusal(cli('inspect', text), 1);
    const { x } = fixture('tiny-expected.safetensors');
    expectRefusal(cli('restore', writeNii('tiny.nii', x), '--out', join(folder, 'no', 'where.nii'), '--raw'), 1);
    expectRefusal(cli('verify', join(folder, 'nowhere')), 1);
  });

  test('wrong usage ends with status 2 and one sentence', () => {
    const { x } = fixture('tiny-expected.safetensors');
    const image = writeNii('tiny.nii', x);
    const wrong = [
      [],
      ['restor', image],
      ['inspect'],
      ['inspect', '--jason', image],
      ['restore', image],
      ['restore', image, '--out', 'out.bmp'],
      ['restore', image, '--out', image],
      ['restore', image, '--out', 'out.nii', '--modality', 'us'],
      ['restore', image, '--out', 'out.nii', '--device', 'tpu'],
      // This file does not say its modality.
      ['restore', image, '--out', 'out.nii'],
      ['evaluate', '--reference', image],
      ['evaluate', '--reference', image, '--input', image],
    ];
    for (const args of wrong) expectRefusal(cli(...args), 2);
  });
});

describe('inspect --json', () => {
  test('an image is one line with its shape, spacing and values in native units', () => {
    const data = Float32Array.from({ length: 15 }, (_, i) => i - 4);
    const { status, stdout } = cli('inspect', '--json', writeNii('small.nii', { rows: 3, columns: 5, data }));
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line))).toEqual([{
      kind: 'image', format: 'nifti', modality: null, shape: [1, 3, 5], spacing: [2, 0.75, 0.5], units: 'raw',
      min: -4, max: 10, mean: 3,
    }]);
  });

  test('weights are told by content, not by name', () => {
    const disguised = join(folder, 'weights.nii');
    writeFileSync(disguised, readFileSync(checkpoint('tiny-legacy.pth')));
    const { status, stdout } = cli('inspect', '--json', disguised);
    expect(status).toBe(0);
    // Parameters with Omni-Shift merged: its 5×5 branch stands for the whole.
    const { tensors } = readSafetensors(new Uint8Array(readFileSync(checkpoint('tiny.safetensors'))));
    const parameters = [...tensors].filter(([name]) => !/alpha|conv1x1|conv3x3|reparam/.test(name))
      .reduce((sum, [, { data }]) => sum + data.length, 0);
    expect(JSON.parse(stdout)).toEqual({
      kind: 'weights', variant: 'custom', dim: 4, blocks: [1, 2, 1, 1], refinement: 1, parameters,
    });
  });
});

describe('verify', () => {
  test('passes vectors as they are, and fails when one value of them is changed', () => {
    const vectors = new Uint8Array(readFileSync(new URL('../../public/conformance/re-wkv.safetensors', import.meta.url)));
    const copy = join(folder, 'vectors');
    mkdirSync(copy);
    writeFileSync(join(copy, 're-wkv.safetensors'), vectors);
    const passed = cli('verify', copy, '--json', '--device', 'cpu');
    expect(passed.status).toBe(0);
    const results = passed.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) expect(result).toMatchObject({ subject: 'reference', passed: true, failure: null });

    // The last tensor's last value, as a float32 one half away.
    const view = new DataView(vectors.buffer);
    view.setFloat32(vectors.length - 4, view.getFloat32(vectors.length - 4, true) + 0.5, true);
    writeFileSync(join(copy, 're-wkv.safetensors'), vectors);
    const changed = cli('verify', copy, '--device', 'cpu');
    expect(changed.status).toBe(1);
    expect(changed.stdout).toMatch(/^FAIL/m);
    expect(changed.stderr.at(-1)).toMatch(/^error: verify: /);
  });
});

describe('degrade', () => {
  test('gives the same noise for the same seed and other noise for another', () => {
    const rows = 24;
    const columns = 32;
    const disc = (i: number) => Number((i % columns - 16) ** 2 + (Math.floor(i / columns) - 12) ** 2 < 81);
    const data = Float32Array.from({ length: rows * columns }, (_, i) => 500 * disc(i));
    const reference = writeNii('disc.nii', { rows, columns, data });
    const [first, again, other] = ['1', '1', '2'].map((seed, index) => {
      const out = join(folder, `degraded-${index}.nii`);
      expect(cli('degrade', reference, '--out', out, '--task', 'pet', '--seed', seed).status).toBe(0);
      return readNii(out).data;
    });
    expect(again).toEqual(first);
    expect(relativeError(other, first)).toBeGreaterThan(1e-3);
    expect(relativeError(first, data)).toBeGreaterThan(1e-3);
  });

  test('a strength that the task does not have ends with status 2', () => {
    const { x } = fixture('tiny-expected.safetensors');
    expectRefusal(cli('degrade', writeNii('tiny.nii', x), '--out', 'out.nii', '--task', 'mri', '--strength', '3'), 2);
  });
});

describe('evaluate', () => {
  test('gives PSNR and RMSE of a known difference, in HU within −160 … 240', () => {
    // Reference 0 … 200 HU by rows, input 10 HU more everywhere: RMSE 10, PSNR 20 log10(200 / 10) = 26.0206 dB.
    const rows = 21;
    const columns = 16;
    const ramp = (offset: number) => Float32Array.from({ length: rows * columns }, (_, i) => Math.floor(i / columns) * 10 + offset);
    const reference = writeNii('reference.nii', { rows, columns, data: ramp(0) });
    const input = writeNii('input.nii', { rows, columns, data: ramp(10) });
    const csv = join(folder, 'out.csv');
    const { status, stdout } = cli('evaluate', '--reference', reference, '--input', input, '--modality', 'ct', '--csv', csv);
    expect(status).toBe(0);
    expect(stdout).toMatch(/PSNR 26\.0206 dB {2}SSIM 0\.\d+ {2}RMSE 10\.0000 HU/);
    const [header, first] = readFileSync(csv, 'utf8').trim().split('\n');
    expect(header).toBe('slice,psnr,ssim,rmse');
    const [slice, psnr, , rmse] = first.split(',').map(Number);
    expect([slice, rmse]).toEqual([1, 10]);
    expect(psnr).toBeCloseTo(26.0206, 4);
  });
});
