import { describe, expect, test } from 'vitest';
import { GPU_VARIANTS, SOFTWARE_VARIANTS, variantsFor } from '../kernels/variants.ts';
import { LIGHT } from '../model/config.ts';
import { testDevice } from './againstReference.ts';
import {
  autotune, CANDIDATES, readTuning, tuningKey, variantsWith,
  type AutotuneOptions, type Candidate, type Stopwatch, type Trial,
} from './autotune.ts';
import { requestDevice } from './device.ts';
import { DeviceError } from './errors.ts';
import { fusionFor } from './fusionFor.ts';
import { lower } from './lower.ts';
import { networkGraph, weightShapes } from './networkGraph.ts';
import { installNodeWebGpu } from './nodeGpu.ts';

const named = (family: string, ...names: string[]): Candidate[] =>
  names.map((name) => CANDIDATES.find((candidate) => candidate.family === family && candidate.name === name)!);
const convs = named('conv', '2×1', '8×1');
/** Kernels that software devices compile fast, and time for them. */
const options: AutotuneOptions = { force: true, size: 8, budget: 600_000, base: SOFTWARE_VARIANTS };
/** Milliseconds by the convolutions' tile. */
const byPixels = (milliseconds: Record<number, number>): Stopwatch =>
  (_, times, { conv }) => Promise.resolve(times * milliseconds[conv.pixels]!);

describe('tuning', () => {
  test('leaves software devices as they are', async () => {
    const adapterInfo = { vendor: 'mesa', architecture: 'software', device: '', description: 'llvmpipe' };
    expect(await autotune({ adapterInfo } as unknown as GPUDevice)).toEqual({ schema: 1, complete: true, gain: 1, choices: [] });
  });

  test('chooses what is clearly faster than the default', async () => {
    const seen: string[] = [];
    const stopwatch: Stopwatch = (plan, times, variants) => {
      seen.push([...new Set(plan.steps.map(({ label }) => label.split(' ')[0]))].join(' '));
      return byPixels({ 4: 5, 2: 6, 8: 4 })(plan, times, variants);
    };
    const trials: Trial[] = [];
    const tuning = await autotune(await testDevice(), {
      ...options, candidates: convs, stopwatch, tried: (trial) => trials.push(trial),
    });
    expect(trials.map(({ candidate, gain, verdict }) => [candidate.name, gain, verdict]))
      .toEqual([['2×1', 5 / 6, 'not faster'], ['8×1', 5 / 4, 'chosen']]);
    expect(tuning).toEqual({
      schema: 1, complete: true, gain: 5 / 4, choices: [{ family: 'conv', name: '8×1', gain: 5 / 4 }],
    });
    // The family alone while it is tried, everything at the end.
    expect(seen[0]).toBe('conv');
    expect(seen.at(-1)!.split(' ')).toEqual(expect.arrayContaining(['conv', 'linear', 'biWkv']));
  });

  test('keeps the default where a candidate is hardly faster', async () => {
    const stopwatch = byPixels({ 4: 5, 2: 4.8, 8: 4.8 });
    const { choices } = await autotune(await testDevice(), { ...options, candidates: convs, stopwatch });
    expect(choices).toEqual([]);
  });

  test('keeps the default where a whole image is not faster', async () => {
    const stopwatch: Stopwatch = (plan, times, variants) => {
      const alone = plan.steps.every(({ label }) => label.startsWith('conv'));
      return byPixels(alone ? { 4: 5, 2: 6, 8: 4 } : { 4: 20, 2: 20, 8: 20 })(plan, times, variants);
    };
    const tuning = await autotune(await testDevice(), { ...options, candidates: convs, stopwatch });
    expect(tuning).toEqual({ schema: 1, complete: true, gain: 1, choices: [] });
  });

  test('leaves out what does not compile, gives other results or takes more memory', async () => {
    const biWkv = SOFTWARE_VARIANTS.biWkv;
    const candidates: Candidate[] = [
      // 32 KiB of workgroup memory, twice as much as there may be.
      { family: 'linear', name: 'huge', change: { linear: { entryPoint: 'throughWorkgroup', tokens: 64, outputs: 1 } } },
      // Three do not divide the 64 threads of a workgroup: tokens are left out.
      { family: 'shift', name: 'gaps', change: { layerNorm: { lanes: 3 } } },
      // A state for each token.
      { family: 'biWkv', name: 'states', change: { biWkv: { ...biWkv, chunk: 1 } } },
    ];
    const verdicts: string[] = [];
    const tuning = await autotune(await testDevice(), {
      ...options, size: 16, candidates, stopwatch: (_, times, { layerNorm }) => Promise.resolve(times / layerNorm.lanes),
      tried: ({ verdict }) => verdicts.push(verdict),
    });
    expect(verdicts).toEqual(['not compiled', 'other results', 'more memory']);
    expect(tuning.choices).toEqual([]);
  });

  test('chooses nothing once it is cancelled', async () => {
    let cancelled = false;
    const tuning = await autotune(await testDevice(), {
      ...options, candidates: [...convs].reverse(), stopwatch: byPixels({ 4: 5, 2: 6, 8: 4 }),
      tried: () => (cancelled = true), cancelled: () => cancelled,
    });
    expect(tuning).toEqual({ schema: 1, complete: false, gain: 1, choices: [] });
  });

  test('ends without having tried everything when time is up', async () => {
    const tried: Trial[] = [];
    const tuning = await autotune(await testDevice(), {
      ...options, budget: 0, candidates: convs, stopwatch: byPixels({ 4: 5, 2: 6, 8: 4 }),
      tried: (trial) => tried.push(trial),
    });
    expect(tried).toEqual([]);
    expect(tuning).toEqual({ schema: 1, complete: false, gain: 1, choices: [] });
  });

  test('ends with a sentence where the device is lost', async () => {
    const { device } = await requestDevice(await installNodeWebGpu());
    const tuned = autotune(device, { ...options, candidates: convs, tried: () => device.destroy() });
    await expect(tuned).rejects.toThrow(DeviceError);
    await expect(tuned).rejects.toThrow(/^device: the GPU was lost while it was tuned \(/);
  });

  test('gives what can be remembered, by the clock', async () => {
    const tuning = await autotune(await testDevice(), { ...options, candidates: convs });
    expect(tuning.complete).toBe(true);
    expect(readTuning(JSON.parse(JSON.stringify(tuning)))).toEqual(tuning);
  });
});

test('every way to tile a kernel is valid WGSL', async () => {
  const device = await testDevice();
  const shapes = weightShapes(LIGHT);
  const lookup = (path: string) => ({ shape: shapes.get(path)!, data: new Float32Array(1) });
  const codes = new Map<string, string>();
  for (const { family, name, change } of CANDIDATES) {
    const variants = { ...GPU_VARIANTS, ...change };
    const graph = networkGraph(LIGHT, (path) => shapes.get(path)!, 64, 64, fusionFor(variants));
    const { dispatches } = lower(graph, lookup, variants);
    for (const { code } of dispatches) codes.set(code, `${family} ${name}`);
  }
  const errors = await Promise.all([...codes].map(async ([code, name]) => {
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
    return messages.filter(({ type }) => type === 'error').map(({ message }) => `${name}: ${message}`);
  }));
  expect(errors.flat()).toEqual([]);
  expect(codes.size).toBeGreaterThan(CANDIDATES.length);
});

test('layer norm and Omni-Shift in other tiles give the results of the default', async () => {
  const candidates = CANDIDATES.filter(({ change: { shift } }) => shift === 'apart');
  const verdicts: string[] = [];
  await autotune(await testDevice(), {
    // 24 pixels a side: tiles of all shapes have an end in them.
    ...options, size: 24, candidates, stopwatch: () => Promise.resolve(5), tried: ({ verdict }) => verdicts.push(verdict),
  });
  expect(verdicts).toEqual(candidates.map(() => 'not faster'));
});

describe('a remembered tuning', () => {
  const choice = { family: 'conv', name: '8×1', gain: 1.25 } as const;
  const tuning = { schema: 1, complete: true, gain: 1.1, choices: [choice] } as const;
  const gpu = { adapterInfo: { vendor: 'nvidia', architecture: 'hopper', device: '0x2330', description: 'NVIDIA H100 (550.1)' } };

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'tuning'],
    ['a list', [tuning]],
    ['another schema', { ...tuning, schema: 2 }],
    ['no word on whether it is complete', { ...tuning, complete: 'yes' }],
    ['no gain', { ...tuning, gain: undefined }],
    ['an endless gain', { ...tuning, gain: Infinity }],
    ['choices that are no list', { ...tuning, choices: { length: 1, 0: choice } }],
    ['a choice that is null', { ...tuning, choices: [null] }],
    ['an unknown family', { ...tuning, choices: [{ ...choice, family: '__proto__' }] }],
    ['an unknown candidate', { ...tuning, choices: [{ ...choice, name: '1024×1024' }] }],
    ['a candidate of another family', { ...tuning, choices: [{ ...choice, family: 'linear' }] }],
    ['a negative gain', { ...tuning, choices: [{ ...choice, gain: -1 }] }],
    ['two choices for a family', { ...tuning, choices: [choice, { ...choice, name: '4×2' }] }],
    ['more choices than families', { ...tuning, choices: Array.from({ length: 1e5 }, () => choice) }],
  ])('is none with %s', (_, value) => {
    expect(readTuning(value)).toBeNull();
  });

  test('is read without what does not belong to it', () => {
    expect(readTuning({ ...tuning, more: 1, choices: [{ ...choice, change: { linear: null } }] })).toEqual(tuning);
  });

  test('takes the place of the default in its families', () => {
    const device = { ...gpu, features: new Set() } as unknown as GPUDevice;
    expect(variantsFor(device)).toEqual(GPU_VARIANTS);
    expect(variantsWith(device, tuning)).toEqual({ ...GPU_VARIANTS, conv: { pixels: 8, outputs: 1, subgroups: false } });
    expect(variantsWith(device, { ...tuning, choices: [] })).toEqual(GPU_VARIANTS);
  });

  test('is known by the adapter, its driver and the kernels', () => {
    const key = (info: object) => tuningKey({ adapterInfo: { ...gpu.adapterInfo, ...info } as unknown as GPUAdapterInfo });
    expect(key({})).toMatch(/^nvidia \| hopper \| 0x2330 \| NVIDIA H100 \(550\.1\) \| \d+$/);
    expect(key({ description: 'NVIDIA H100 (551.0)' })).not.toBe(key({}));
    expect(key({ vendor: 'amd' })).not.toBe(key({}));
  });
});
