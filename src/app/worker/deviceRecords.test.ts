import { expect, test } from 'vitest';
import { MOST_REMEMBERED } from '../precision.ts';
import { readDevices, writeDevices } from './deviceRecords.ts';
import type { DeviceRecord } from './deviceRecords.ts';

const RECORD: DeviceRecord = {
  key: 'nvidia | ada | RTX | driver | 1a2b',
  tuning: { schema: 1, complete: true, gain: 1, choices: [] },
  unfinished: 1,
  models: [
    { model: 'SHA-256 0011', difference: 6e-4, milliseconds: { f32: 4, f16: 2.5 } },
    { model: 'SHA-256 2233', difference: Infinity, milliseconds: null },
    { model: 'SHA-256 4455', difference: 0, milliseconds: null },
  ],
};

test('what is written is read again, an infinite difference too', () => {
  expect(readDevices(writeDevices([RECORD]))).toEqual([RECORD]);
});

test('the latest eight devices are kept, of each the latest sixteen models', () => {
  const models = Array.from({ length: 20 }, (_, i) => ({ ...RECORD.models[0]!, model: `model ${i}` }));
  const records = Array.from({ length: 10 }, (_, i) => ({ ...RECORD, key: `device ${i}`, models }));
  const text = writeDevices(records);
  expect(text.length).toBeLessThan(MOST_REMEMBERED);
  const read = readDevices(text);
  expect(read.map(({ key }) => key)).toEqual(records.slice(0, 8).map(({ key }) => key));
  expect(read[0]!.models.map(({ model }) => model)).toEqual(models.slice(0, 16).map(({ model }) => model));
});

test.each([
  ['no JSON', '{'],
  ['no list', '{"length": 3}'],
  ['a number', '7'],
  ['entries that are no records', '[null, 3, "x", [], {}]'],
  ['a key that is no text', '[{"key": 3, "models": []}]'],
  ['a key without end', JSON.stringify([{ ...RECORD, key: 'x'.repeat(600) }])],
  ['more than is ever written', JSON.stringify([RECORD]).padEnd(MOST_REMEMBERED + 1)],
])('nothing is read from %s', (_, text) => {
  expect(readDevices(text)).toEqual([]);
});

test.each([
  ['a difference below zero', { model: 'm', difference: -1, milliseconds: null }],
  ['a difference that is text', { model: 'm', difference: '0', milliseconds: null }],
  ['no time', { model: 'm', difference: 0 }],
  ['a time of nothing', { model: 'm', difference: 0, milliseconds: { f32: 0, f16: 1 } }],
  ['times that are text', { model: 'm', difference: 0, milliseconds: { f32: '2', f16: '1' } }],
  ['one time', { model: 'm', difference: 0, milliseconds: { f32: 2 } }],
  ['no name', { difference: 0, milliseconds: null }],
  ['null', null],
])('a model with %s is left out, the others stay', (_, entry) => {
  const read = readDevices(JSON.stringify([{ ...RECORD, models: [entry, RECORD.models[0]] }]));
  expect(read[0]!.models).toEqual([RECORD.models[0]]);
});

test('a tuning that is none is measured again, and a count that is none is zero', () => {
  const text = JSON.stringify([{ ...RECORD, tuning: { schema: 99 }, unfinished: '3', models: { 0: 1 } }]);
  expect(readDevices(text)).toEqual([{ key: RECORD.key, tuning: null, unfinished: 0, models: [] }]);
});
