import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CANDIDATES, type AutotuneOptions, type Tuning } from '../engine/autotune.ts';
import { DeviceError } from '../engine/errors.ts';
import { GPU_VARIANTS } from '../kernels/variants.ts';
import { tunedVariants, tuningPath, tuningText } from './tuning.ts';

const TUNING: Tuning = { schema: 1, complete: true, gain: 1.1, choices: [{ family: 'conv', name: '8×1', gain: 1.25 }] };
const CONV = { pixels: 8, outputs: 1, subgroups: false };

let count = 0;
/** Each an adapter of its own: a process remembers, too. */
function adapter(software = false, description = `GPU ${count++}`) {
  const adapterInfo = { vendor: 'nvidia', architecture: 'hopper', device: '', description };
  return { device: { adapterInfo, features: new Set() } as unknown as GPUDevice, description: { name: description, software } };
}
function search(outcome: Tuning | Error = TUNING) {
  const asked: AutotuneOptions[] = [];
  const autotune = async (_: GPUDevice, options: AutotuneOptions = {}) => {
    asked.push(options);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  return { asked, autotune };
}

let folder = '';
let path = '';
const said: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'restore-rwkv-tuning-'));
  path = join(folder, 'restore-rwkv', 'tuning.json');
  said.length = 0;
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

describe('tile shapes on the command line', () => {
  test('are tuned at first use of a GPU, which one line says, and remembered', async () => {
    const { asked, autotune } = search();
    const gpu = adapter();
    expect(await tunedVariants(gpu, { path, autotune })).toEqual({ ...GPU_VARIANTS, conv: CONV });
    expect(asked).toEqual([{}]);
    expect(said).toEqual([`device: tuning kernels for ${gpu.description.name}, once: about two seconds\n`]);
    const file = JSON.parse(readFileSync(path, 'utf8')) as { adapters: [string, Tuning][] };
    expect(file.adapters.map(([, tuning]) => tuning)).toEqual([TUNING]);
    expect(readdirSync(join(folder, 'restore-rwkv'))).toEqual(['tuning.json']);

    vi.resetModules(); // another process
    const { tunedVariants: again } = await import('./tuning.ts');
    expect(await again(gpu, { path, autotune })).toEqual({ ...GPU_VARIANTS, conv: CONV });
    expect(asked).toHaveLength(1);
    expect(said).toHaveLength(1);
  });

  test('are those of each adapter, of at most 16', async () => {
    for (let i = 0; i < 18; i++) await tunedVariants(adapter(), { path, ...search() });
    const { adapters } = JSON.parse(readFileSync(path, 'utf8')) as { adapters: [string, Tuning][] };
    expect(adapters).toHaveLength(16);
    expect(adapters.at(-1)![0]).toContain(`GPU ${count - 1} `);
  });

  test.each([
    ['damaged', '{"kind":'],
    ['null', 'null'],
    ['another kind', JSON.stringify({ kind: 'else', schema: 1, adapters: [] })],
    ['no list', JSON.stringify({ kind: 'restore-rwkv tuning', schema: 1, adapters: { length: 9 } })],
    ['hostile entries', JSON.stringify({ kind: 'restore-rwkv tuning', schema: 1, adapters: [null, [1], ['a', { schema: 9 }]] })],
    ['enormous', ' '.repeat(2 ** 19)],
  ])('are tuned anew where the file is %s', async (_, text) => {
    mkdirSync(join(folder, 'restore-rwkv'));
    writeFileSync(path, text);
    const { asked, autotune } = search();
    expect(await tunedVariants(adapter(), { path, autotune })).toMatchObject({ conv: CONV });
    expect(asked).toHaveLength(1);
    expect((JSON.parse(readFileSync(path, 'utf8')) as { adapters: unknown[] }).adapters).toHaveLength(1);
  });

  test('are used where they cannot be remembered, and not tuned twice in a process', async () => {
    writeFileSync(join(folder, 'restore-rwkv'), 'a file where the folder would be');
    const { asked, autotune } = search();
    const gpu = adapter();
    for (let i = 0; i < 2; i++) expect(await tunedVariants(gpu, { path, autotune })).toMatchObject({ conv: CONV });
    expect(asked).toHaveLength(1);
    const lines: unknown[] = [/^device: tuning/, /^note: the tuning is not remembered, /].map((line) => expect.stringMatching(line));
    expect(said).toEqual(lines);
  });

  test('are the default where tuning fails', async () => {
    const { autotune } = search(new DeviceError('device: 200 MiB for this image were refused'));
    expect(await tunedVariants(adapter(), { path, autotune })).toBeUndefined();
    expect(said.at(-1)).toBe('note: kernels could not be tuned, the default is used: device: 200 MiB for this image were refused\n');
    expect(existsSync(path)).toBe(false);
  });

  test('are the default on software devices unless tuning is asked for, and are not remembered then', async () => {
    const { asked, autotune } = search();
    const software = adapter(true, 'llvmpipe');
    expect(await tunedVariants(software, { path, autotune })).toBeUndefined();
    expect(asked).toEqual([]);
    expect(await tunedVariants(software, { path, autotune, tune: true })).toMatchObject({ conv: CONV });
    expect(asked).toMatchObject([{ force: true }]);
    expect(existsSync(path)).toBe(false);
  });

  test('are tuned anew on request, with all that was chosen said', async () => {
    const { asked, autotune } = search();
    const gpu = adapter();
    await tunedVariants(gpu, { path, autotune });
    await tunedVariants(gpu, { path, autotune, tune: true });
    expect(asked).toHaveLength(2);
    expect(said.join('')).toContain('chosen, a whole image is 1.10 times as fast:\n  conv: 8×1, 1.25 times as fast as the default\n');
  });
});

test('what was tried is told with how it did', () => {
  const candidate = CANDIDATES.find(({ family }) => family === 'linear')!;
  const trials = [
    { candidate, gain: 0.5, verdict: 'not faster' }, { candidate, gain: null, verdict: 'not compiled' },
  ] as const;
  expect(tuningText({ schema: 1, complete: false, gain: 1, choices: [] }, trials)).toEqual([
    '  tried linear: workgroup 8×2; not faster, 0.50 times as fast as the best before it',
    '  tried linear: workgroup 8×2; not compiled',
    `  time was up after 2 of ${CANDIDATES.length}`,
    'the default is kept',
  ]);
});

test('the file is in the cache folder that XDG names, else in ~/.cache', () => {
  expect(tuningPath({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/restore-rwkv/tuning.json');
  for (const XDG_CACHE_HOME of [undefined, '', 'relative/cache']) {
    expect(tuningPath({ XDG_CACHE_HOME })).toMatch(/^\/.*\/\.cache\/restore-rwkv\/tuning\.json$/);
  }
});
