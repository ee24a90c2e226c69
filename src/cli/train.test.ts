import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../training/checkpoint.ts';
import { initialStateDict } from '../weights/initialWeights.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';

const start = fileURLToPath(new URL('./start.mjs', import.meta.url));
const TINY = { dim: 4, blocks: [1, 1, 1, 1], refinement: 1, recurrence: 2 } as const;

let folder = '';
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-train-'));
  for (const name of ['scans', 'low', 'high', 'few']) mkdirSync(at(name));
  writeNii(at('scans', 'a.nii'), 45, 38, 9, (x, y, z) => wave(x, y, z));
  writeNii(at('scans', 'b.nii'), 40, 50, 3, (x, y, z) => wave(y, x, z + 20));
  writeNii(at('high', 'pair.nii'), 40, 33, 8, wave);
  writeNii(at('low', 'pair.nii'), 40, 33, 8, (x, y, z) => wave(x, y, z) + 60 * Math.sin(x * 12.9 + y * 78.2));
  writeNii(at('few', 'other.nii'), 40, 33, 7, wave);
  expect(cli('--build').status).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const wave = (x: number, y: number, z: number) =>
  (z === 2 ? 0 : Math.max(0, 500 + 300 * Math.sin(x / 5) * Math.cos(y / 4) + 20 * z));

/** A float32 .nii made here from nifti1.h. */
function writeNii(
  path: string, columns: number, rows: number, slices: number, value: (x: number, y: number, z: number) => number,
): void {
  const bytes = new Uint8Array(352 + 4 * columns * rows * slices);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, columns, rows, slices, 1, 1, 1, 1].forEach((n, i) => view.setInt16(40 + 2 * i, n, true)); // dim
  view.setInt16(70, 16, true); // datatype float32
  view.setInt16(72, 32, true); // bitpix
  [1, 1, 1, 3, 0, 0, 0, 0].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true)); // pixdim
  view.setFloat32(108, 352, true); // vox_offset
  bytes.set([0x6e, 0x2b, 0x31, 0], 344); // magic n+1
  for (let z = 0, i = 0; z < slices; z++) {
    for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++, i++) view.setFloat32(352 + 4 * i, value(x, y, z), true);
  }
  writeFileSync(path, bytes);
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function cli(...args: string[]): Outcome {
  return spawnSync(process.execPath, [start, ...args], { encoding: 'utf8', cwd: folder });
}

const RUN = [
  'train', '--data', 'scans', '--task', 'mri', '--variant', 'tiny', '--batch', '2', '--crop', '16', '--rate', '2e-3',
  '--device', 'wasm', '--json',
];

/** The lines of steps. */
const stepsOf = ({ stdout }: Pick<Outcome, 'stdout'>) => stdout.split('\n').filter(Boolean)
  .map((line) => JSON.parse(line) as Record<string, number>).filter((line) => 'loss' in line)
  .map(({ step, loss, rate, gradientNorm }) => ({ step, loss, rate, gradientNorm }));

/** Ends a run by a signal once it has printed that many lines of steps. */
function interrupted(args: readonly string[], lines: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<Outcome & { signal: string | null }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [start, ...args], { cwd: folder });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString();
      const printed = stepsOf({ stdout: stdout.slice(0, stdout.lastIndexOf('\n') + 1) }).length;
      // Once: a second SIGTERM means at once.
      if (printed >= lines && !child.killed) child.kill(signal);
    });
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    child.on('close', (status, by) => done({ status, signal: by, stdout, stderr }));
  });
}

const weightsAt = (name: string) => readSafetensors(new Uint8Array(readFileSync(at(name))));

describe('train', () => {
  test('gives the same losses and weights each time, through a SIGKILL too, and never half a file', { timeout: 240_000 }, async () => {
    const straight = cli(...RUN, '--steps', '30', '--out', 'straight.safetensors', '--checkpoint-every', '7');
    expect(straight.stderr).toMatch(/^device: WebAssembly/m);
    expect(straight.status).toBe(0);
    const expected = stepsOf(straight);
    expect(expected.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(expected[0].rate).toBe(2e-3);

    const args = [...RUN, '--steps', '30', '--out', 'killed.safetensors', '--checkpoint-every', '1'];
    const lines = 3 + Math.floor(Math.random() * 20);
    const killed = await interrupted(args, lines, 'SIGKILL');
    expect(killed.signal).toBe('SIGKILL');
    expect(existsSync(at('killed.safetensors'))).toBe(false);
    const { step, stateDict } = readCheckpoint(new Uint8Array(readFileSync(at('killed.safetensors.checkpoint'))));
    // Written after the step's line: the last line's own may be missing, as may lines that were not read any more.
    expect(step).toBeGreaterThanOrEqual(lines - 1);
    expect(stateDict.size).toBeGreaterThan(100);
    const resumed = cli(...args, '--resume', 'killed.safetensors.checkpoint');
    expect(resumed.status).toBe(0);
    expect(stepsOf(resumed)).toEqual(expected.slice(step));
    expect(weightsAt('killed.safetensors').tensors).toEqual(weightsAt('straight.safetensors').tensors);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('stops at SIGTERM with a checkpoint, and says how to go on', async () => {
    const args = [...RUN, '--steps', '1000', '--out', 'stopped.safetensors', '--checkpoint-every', '0'];
    const stopped = await interrupted(args, 2, 'SIGTERM');
    expect(stopped.status).toBe(1);
    expect(stopped.stderr).toMatch(/SIGTERM: stopped after step \d+; go on with --resume stopped\.safetensors\.checkpoint/);
    const { step, options } = readCheckpoint(new Uint8Array(readFileSync(at('stopped.safetensors.checkpoint'))));
    expect(step).toBe(stepsOf(stopped).at(-1)!.step);
    expect(options.steps).toBe(1000);
  });

  test('writes weights that load, with name, normalisation, task and what they were trained on', () => {
    const { status, stdout } = cli(...RUN, '--steps', '2', '--out', 'tiny.safetensors', '--name', 'My brains', '--noise', '0.02');
    expect(status).toBe(0);
    const validations = stdout.split('\n').filter((line) => line.includes('"psnr"')).map((line) => JSON.parse(line) as object);
    expect(validations).toHaveLength(2);
    expect(validations[1]).toMatchObject({ step: 2, inputPsnr: expect.any(Number) as number, ssim: expect.any(Number) as number });
    const { metadata } = weightsAt('tiny.safetensors');
    expect(metadata['name']).toBe('My brains');
    expect(JSON.parse(metadata['normalisation'])).toHaveProperty('mri', { rule: 'percentile', percentile: 99.8, times: 0.6 });
    expect(JSON.parse(metadata['tasks'])).toMatchObject([{ modality: 'mri', strength: 4, degradation: expect.stringMatching(/noise of 2 %/) as string }]);
    // 9 slices and 3, one empty; of the 8, one is held out and those beside it are in neither part.
    expect(metadata['training']).toMatch(/^From scratch: 2 steps of 2 crops of 16 × 16, .* MRI: 8 slices of a, b\.$/);
    const { stdout: inspected } = cli('inspect', 'tiny.safetensors', '--json');
    expect(JSON.parse(inspected)).toMatchObject({ kind: 'weights', dim: 4, blocks: [1, 1, 1, 1], refinement: 1 });
  });

  test('goes on from weights, keeping their normalisation, and trains the decoder alone', () => {
    const normalisation = JSON.stringify({ mri: { rule: 'range', from: [0, 2000] } });
    const weights = writeSafetensors(initialStateDict(TINY, 4), { name: 'Begun', normalisation });
    writeFileSync(at('begun.safetensors'), weights);
    const args = RUN.filter((arg) => arg !== '--variant' && arg !== 'tiny');
    const { status } = cli(...args, '--weights', 'begun.safetensors', '--parts', 'decoder', '--steps', '2', '--out', 'tuned.safetensors');
    expect(status).toBe(0);
    const { tensors, metadata } = weightsAt('tuned.safetensors');
    expect(JSON.parse(metadata['normalisation'])).toEqual({ mri: { rule: 'range', from: [0, 2000] } });
    expect(metadata['training']).toMatch(/^From Begun \([0-9a-f]{12}\): .*decoder and refinement only/);
    const { tensors: before } = readSafetensors(weights);
    expect(tensors.get('latent.0.gamma1')).toEqual(before.get('latent.0.gamma1'));
    expect(tensors.get('output.weight')).not.toEqual(before.get('output.weight'));
  });

  test('learns from real pairs, and says which files are none', () => {
    const args = ['train', '--data', 'low', '--reference', 'high', '--task', 'mri', '--variant', 'tiny', '--batch', '1', '--crop',
      '16', '--device', 'wasm', '--steps', '2', '--out', 'paired.safetensors'];
    const { status, stdout } = cli(...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^step 2 of 2 {2}loss 0\.\d+ {2}rate \S+ {2}\d+ ms {2}0 s left$/m);
    expect(stdout).toMatch(/^step 2 {2}validation PSNR \S+ → \S+ dB {2}SSIM \S+ → \S+$/m);
    expect(JSON.parse(weightsAt('paired.safetensors').metadata['tasks'])).toMatchObject([{ degradation: 'Real pairs.' }]);
    const mismatched = cli(...args.with(4, 'few'));
    expect(mismatched.status).toBe(1);
    expect(mismatched.stderr).toMatch(/pair is 40 × 33 × 8 and other 40 × 33 × 7/);
    expect(mismatched.stderr).toMatch(/^error: train: low holds no MRI slice to learn from/m);
  });
});

describe('train refuses', () => {
  test('what cannot be, as wrong usage in one sentence', () => {
    const { status, stdout, stderr } = cli(...RUN, '--steps', '2', '--out', 'none.safetensors', '--crop', '20');
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toBe('error: training: crop is 20, expected a multiple of 8 up to 4096\n');
  });

  test('to go on with another run, other images or a file that is no checkpoint', { timeout: 240_000 }, () => {
    expect(cli(...RUN, '--steps', '2', '--out', 'one.safetensors').status).toBe(0);
    const go = (...args: string[]) => cli(...RUN, '--steps', '2', '--out', 'two.safetensors', '--resume', 'one.safetensors.checkpoint', ...args);
    expect(go().status).toBe(0);
    expect(weightsAt('two.safetensors')).toEqual(weightsAt('one.safetensors'));
    expect(go('--seed', '9')).toMatchObject({ status: 2, stderr: expect.stringMatching(/seed is 9, but the run that is resumed has 0/) as string });
    expect(go('--task', 'ct')).toMatchObject({ status: 2, stderr: expect.stringMatching(/shares is \{"ct":1\}/) as string });
    expect(go('--data', 'high')).toMatchObject({ status: 1, stderr: expect.stringMatching(/made with other images/) as string });
    expect(go('--resume', 'one.safetensors')).toMatchObject({ status: 1, stderr: expect.stringMatching(/no checkpoint of a training run/) as string });
    expect(go('--resume', 'scans/a.nii').status).toBe(1);
  });

  test('a folder without images, and an output whose folder is not there, before any work', () => {
    mkdirSync(at('empty'));
    expect(cli(...RUN, '--steps', '2', '--out', 'x.safetensors', '--data', 'empty').status).toBe(1);
    const { status, stderr } = cli(...RUN, '--steps', '2', '--out', 'nowhere/x.safetensors');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: .*nowhere: there is no such file or folder$/m);
  });
});
