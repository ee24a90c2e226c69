import { beforeEach, expect, test } from 'vitest';
import { testDevice } from '../../engine/againstReference.ts';
import { tuningKey } from '../../engine/autotune.ts';
import { speaksForHalf } from '../../engine/choosePrecision.ts';
import { createEngine } from '../../engine/engine.ts';
import { TINY } from '../../model/config.ts';
import { hashedStateDict } from '../../weights/hashedWeights.ts';
import { toNetworkWeights } from '../../weights/networkWeights.ts';
import type { FromWorker } from '../protocol.ts';
import type { PrecisionChoice, PrecisionState } from '../precision.ts';
import type { Machine } from './device.ts';
import { writeDevices } from './deviceRecords.ts';
import type { ModelRecord } from './deviceRecords.ts';
import { Precision } from './precision.ts';

const device = await testDevice();
const state = { kind: 'webgpu', name: 'a GPU', software: false, why: null } as const;
/** The test's device as if it were a graphics processor, as software, and nothing but WebAssembly. */
const gpu: Pick<Machine, 'gpu' | 'state'> = { gpu: { device, adapterInfo: device.adapterInfo }, state };
const software: typeof gpu = { ...gpu, state: { ...state, software: true } };
const wasm: typeof gpu = { gpu: null, state: { ...state, kind: 'wasm' } };

const weights = toNetworkWeights(hashedStateDict(TINY, 0), TINY);
const model = { id: 'tiny', version: 'SHA-256 00', weights: async () => weights };
const never = () => false;

let said: PrecisionState[] = [];
let kept: string | null = null;
beforeEach(() => {
  said = [];
  kept = null;
});
const post = (message: FromWorker) => {
  if (message.type === 'precision') said.push(message.precision);
  if (message.type === 'remember') kept = message.devices;
};
const knowing = (choice: PrecisionChoice, devices: string | null) => new Precision(post, { choice, devices });
const recordOf = (known: Omit<ModelRecord, 'model'>, unfinished = 0) =>
  writeDevices([{
    key: tuningKey(device), tuning: { schema: 1, complete: true, gain: 1, choices: [] }, unfinished,
    models: [{ model: model.version, ...known }],
  }]);
const FASTER = recordOf({ difference: 6e-4, milliseconds: { f32: 16, f16: 10 } });

test('Automatic takes what was measured on a graphics processor, and says it', async () => {
  const precision = knowing('auto', FASTER);
  expect(await precision.optionsFor(gpu, model)).toMatchObject({ half: true });
  expect(precision.stateOf(gpu, model)).toEqual({
    choice: 'auto', used: 'f16', fixed: false,
    says: '1.6 times as fast here; results differ by at most 0.0006 of the range from 32-bit.',
  });
  expect(await precision.measure(gpu, model, never)).toBe(false);
});

test.each([
  ['is not faster', { difference: 6e-4, milliseconds: { f32: 10, f16: 9.9 } },
    '16-bit is not clearly faster here: 9.9 ms for 256 × 256, and 32-bit 10 ms.'],
  ['changes results', { difference: 3.14e-3, milliseconds: null },
    '16-bit would change this model’s results by 0.0031 of the range; 0.002 is the most allowed.'],
  ['fails', { difference: Infinity, milliseconds: null }, '16-bit does not work with this model on this device.'],
])('Automatic stays with 32-bit where 16-bit %s', async (_, known, says) => {
  const precision = knowing('auto', recordOf(known));
  expect(await precision.optionsFor(gpu, model)).toMatchObject({ half: false });
  expect(precision.stateOf(gpu, model)).toMatchObject({ used: 'f32', says });
  expect(await precision.measure(gpu, model, never)).toBe(false);
});

test('Automatic stays with 32-bit on software, and measures nothing there', async () => {
  const precision = knowing('auto', FASTER);
  expect(await precision.optionsFor(software, model)).toMatchObject({ half: false });
  expect(precision.stateOf(software, model)).toMatchObject({ used: 'f32', says: expect.stringContaining('in software') });
  expect(await precision.measure(software, model, never)).toBe(false);
  expect(kept).toBeNull();
});

test('WebAssembly has no choice', async () => {
  const precision = knowing('f16', FASTER);
  expect(await precision.optionsFor(wasm, model)).toEqual({});
  expect(precision.stateOf(wasm, model)).toMatchObject({
    choice: 'f16', used: 'f32', fixed: true, says: 'WebAssembly always computes in 32-bit floats.',
  });
});

test('a choice of 32-bit is obeyed whatever was measured', async () => {
  expect(await knowing('f32', FASTER).optionsFor(gpu, model)).toMatchObject({ half: false });
});

test('a choice of 16-bit is checked once, on software too, and kept', async () => {
  const precision = knowing('f16', null);
  expect(precision.stateOf(software, model)).toMatchObject({ used: 'f16', says: expect.stringContaining('once it is checked') });
  let checks = 0;
  const options = () => precision.optionsFor(software, model, () => checks++);
  const [first] = await Promise.all([options(), options()]);
  expect(checks).toBe(2); // both wait for the one check
  expect(first).toMatchObject({ half: true });
  createEngine(device, weights, first).dispose();
  await options();
  expect(checks).toBe(2);
  expect(JSON.parse(kept!)).toMatchObject([{ models: [{ model: model.version, milliseconds: null }] }]);

  const next = knowing('f16', kept);
  expect(await next.optionsFor(software, model, () => checks++)).toMatchObject({ half: true });
  expect(checks).toBe(2);
  expect(next.stateOf(software, model).says).toMatch(/^As chosen; results differ by at most 0\.\d+ of the range/);
});

test('a choice of 16-bit that changes results too much is refused with a sentence', async () => {
  const precision = knowing('f16', recordOf({ difference: 0.5, milliseconds: null }));
  expect(await precision.optionsFor(gpu, model)).toMatchObject({ half: false });
  expect(precision.stateOf(gpu, model)).toMatchObject({ choice: 'f16', used: 'f32', says: expect.stringContaining('0.5') });
});

test('a graphics processor is measured once, and the next visit knows', async () => {
  const precision = knowing('auto', null);
  expect(precision.stateOf(gpu, model).says).toContain('after the first restoration');
  expect(await precision.measure(gpu, model, never)).toBe(true);
  expect(said[0]!.says).toBe('Both are being compared…');
  const [record] = JSON.parse(kept!) as [{ unfinished: number; models: [ModelRecord] }];
  expect(record.unfinished).toBe(0);
  const { difference, milliseconds } = record.models[0];
  const half = speaksForHalf({ difference, milliseconds: milliseconds! });
  expect(await precision.optionsFor(gpu, model)).toMatchObject({ half });

  const next = knowing('auto', kept);
  expect(await next.optionsFor(gpu, model)).toEqual(await precision.optionsFor(gpu, model));
  expect(await next.measure(gpu, model, never)).toBe(false);
});

test('measuring that is interrupted leaves nothing, and begins anew', async () => {
  const precision = knowing('auto', null);
  let asked = 0;
  // The first question is asked before anything is done.
  expect(await precision.measure(gpu, model, () => ++asked > 1)).toBe(false);
  expect(JSON.parse(kept!)).toMatchObject([{ unfinished: 0, tuning: null, models: [] }]);
  expect(precision.stateOf(gpu, model).says).toContain('after the first restoration');
});

test('a device that went down with the browser twice while it was measured is left alone', async () => {
  const record = { key: tuningKey(device), tuning: null, unfinished: 2, models: [] };
  const precision = knowing('auto', writeDevices([record]));
  expect(await precision.measure(gpu, model, never)).toBe(false);
  expect(precision.stateOf(gpu, model)).toMatchObject({ used: 'f32', says: expect.stringContaining('did not end') });
});
