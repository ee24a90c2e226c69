import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WeightsError } from './errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { readWeights } from './readWeights.ts';
import type { StoredTensor } from './tensor.ts';

const bytesOf = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name));
const read = (name: string) => readWeights({ name, bytes: bytesOf(name) });
const messageOf = (bytes: Uint8Array): string => {
  try {
    readWeights({ name: 'hostile', bytes });
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsError);
    return (error as WeightsError).message;
  }
  throw new Error('expected the file to be refused');
};
const TINY = { dim: 4, blocks: [1, 2, 1, 1], refinement: 1, recurrence: 2 };

/** The header of tiny.safetensors as JSON and its F32 data, without the reader under test. */
function tinyByHand(): Map<string, { shape: number[]; data: Float32Array }> {
  const bytes = bytesOf('tiny.safetensors');
  const begin = 8 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString('utf8', 8, begin)) as Record<
    string, { shape: number[]; data_offsets: [number, number] }
  >;
  delete header['__metadata__'];
  return new Map(
    Object.entries(header).map(([name, { shape, data_offsets: [from, to] }]) => {
      const data = Float32Array.from({ length: (to - from) / 4 }, (_, i) => bytes.readFloatLE(begin + from + 4 * i));
      return [name, { shape, data }];
    }),
  );
}

describe('a network saved in the ways users have it', () => {
  const expected = tinyByHand();

  it.each([
    'tiny.safetensors', 'tiny.pth', 'tiny-legacy.pth', 'tiny-dataparallel.pth', 'tiny-wrapped.pth',
    'tiny-shared-storage.pth', 'tiny-strided.pth',
  ])('%s gives every parameter exactly', (name) => {
    const { stateDict, config, ignored } = read(name);
    expect(config).toEqual(TINY);
    expect(ignored).toEqual([]);
    expect([...stateDict.keys()].sort()).toEqual([...expected.keys()].filter((key) => !key.includes('reparam')).sort());
    for (const [key, { shape, data }] of stateDict) {
      expect(shape, key).toEqual(expected.get(key)?.shape);
      expect(data, key).toEqual(expected.get(key)?.data);
    }
  });

  // Rounding to nearest errs by half a unit in the last place: 2⁻¹¹ of a half's 11 bits, 2⁻⁸ of a bfloat16's 8 bits;
  // halves below 2⁻¹⁴ are subnormal, with a step of 2⁻²⁴.
  it.each([
    ['tiny-half.pth', 2 ** -11, 2 ** -25],
    ['tiny-bfloat16.pth', 2 ** -8, 0],
  ])('%s gives every parameter within its rounding', (name, relative, absolute) => {
    const { stateDict, config } = read(name);
    expect(config).toEqual(TINY);
    let inexact = 0;
    for (const [key, { data }] of stateDict) {
      const exact = expected.get(key)?.data ?? new Float32Array();
      expect(data).toHaveLength(exact.length);
      exact.forEach((value, i) => {
        if (data[i] !== value) inexact += 1;
        if (Math.abs(data[i] - value) > relative * Math.abs(value) + absolute) {
          expect.fail(`${key}[${i}] is ${data[i]}, expected ${value}`);
        }
      });
    }
    expect(inexact).toBeGreaterThan(0);
  });

  it('is told by content, whatever the name', () => {
    expect(readWeights({ name: 'scan.dcm', bytes: bytesOf('tiny-legacy.pth') }).config).toEqual(TINY);
    expect(readWeights({ name: 'x.pth', bytes: bytesOf('tiny.safetensors') }).metadata).toEqual({ format: 'pt' });
  });
});

describe('a file that must be refused', () => {
  it.each([
    ['bad-code-execution.pth', /posix\.system.*nothing was executed/],
    ['bad-missing-key.pth', /^weights: \S+ is missing .*expected with shape \[/],
    ['bad-wrong-shape.pth', /^weights: \S+ has shape \[.*\], expected \[.*\]/],
    ['bad-nan.pth', /^weights: \S+ holds (NaN|-?Infinity) at element \d+/],
    ['bad-truncated.pth', /no directory at its end.*cut short/],
    ['bad-header-length.safetensors', /header claims 1099511627776 bytes but the file has 293204/],
    ['bad-offsets.safetensors', /patch_embed\.weight .*needs 144 bytes but has 135/],
  ])('%s: one sentence that says what is wrong', (name, expected) => {
    const message = messageOf(bytesOf(name));
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/\n/);
    expect(message.length).toBeLessThan(300);
  });

  it('says of other files what they begin with', () => {
    expect(messageOf(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:'))).toMatch(
      /begins with "version https:\/\/git-lfs/,
    );
    expect(messageOf(new Uint8Array())).toMatch(/is empty/);
  });

  it.each(['tiny.safetensors', 'tiny.pth', 'tiny-legacy.pth', 'tiny-half.pth'])(
    '%s cut short anywhere gives one sentence', (name) => {
      const bytes = bytesOf(name);
      for (let i = 0; i < 40; i++) {
        const message = messageOf(bytes.subarray(0, Math.floor((bytes.length * i) / 40)));
        expect(message).not.toMatch(/\n/);
        expect(message.length).toBeLessThan(300);
      }
    },
  );

  // Any byte may be wrong: what is read is either a network or a sentence, never another error.
  it.each(['tiny.safetensors', 'tiny.pth', 'tiny-legacy.pth'])('%s with bytes changed breaks no reader', (name) => {
    const original = bytesOf(name);
    let random = 12345;
    for (let i = 0; i < 120; i++) {
      const bytes = Uint8Array.from(original);
      for (let change = 0; change < 3; change++) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        // The first eighth holds the structure: headers and pickles.
        bytes[random % Math.floor(bytes.length / 8)] = random >>> 24;
      }
      try {
        expect(readWeights({ name, bytes }).config).toEqual(TINY);
      } catch (error) {
        expect(error).toBeInstanceOf(WeightsError);
        expect((error as WeightsError).message).not.toMatch(/\n/);
        expect((error as WeightsError).message.length).toBeLessThan(300);
      }
    }
  });
});

describe('what a state_dict may have besides', () => {
  const withExtra = (extra: [string, StoredTensor][], prefix = '') => {
    const { tensors } = readSafetensors(bytesOf('tiny.safetensors'));
    const renamed = [...tensors].map(([name, tensor]): [string, StoredTensor] => [`${prefix}${name}`, tensor]);
    return readWeights({ name: 'extra', bytes: writeSafetensors(new Map([...renamed, ...extra]), {}) });
  };
  const one: StoredTensor = { shape: [1], data: Float32Array.of(7) };

  it('names tensors that the network does not have, and passes over stale merged kernels', () => {
    const stale = 'encoder_level1.0.att.omni_shift.conv5x5_reparam.weight';
    expect(withExtra([['step', one], [stale, one]]).ignored).toEqual(['step']);
  });

  it('finds the network behind any common prefix', () => {
    const { config, ignored, stateDict } = withExtra([['optimizer.step', one]], '_orig_mod.module.');
    expect(config).toEqual(TINY);
    expect(ignored).toEqual(['optimizer.step']);
    expect(stateDict.get('output.bias')?.data).toEqual(tinyByHand().get('output.bias')?.data);
  });

  it('prints a hostile name on one short line', () => {
    const { ignored } = withExtra([[`a\n\u202e<b>${'x'.repeat(10_000)}`, one]]);
    expect(ignored).toHaveLength(1);
    expect(ignored[0]).toMatch(/^a\?\?<b>x+…$/);
    expect(ignored[0].length).toBeLessThan(80);
  });
});
