import { describe, expect, it } from 'vitest';
import { TINY } from '../model/config.ts';
import { WeightsError } from '../weights/errors.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import type { StateDict, StoredTensor } from '../weights/tensor.ts';
import { digestOf, readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts';
import { isTrained } from './flatParameters.ts';
import { DEFAULT_OPTIONS, TrainingError, type TrainingImage } from './training.ts';


const float32 = (stateDict: StateDict): StateDict =>
  new Map([...stateDict].map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]));
const squared = (stateDict: StateDict): StateDict =>
  new Map([...stateDict].map(([name, { shape, data }]) => [name, { shape, data: data.map((value) => value ** 2) }]));

const CHECKPOINT: Checkpoint = {
  stateDict: float32(hashedStateDict(TINY, 0)),
  config: TINY,
  options: { ...DEFAULT_OPTIONS, steps: 50, recompute: true },
  step: 17,
  moments: { first: float32(hashedStateDict(TINY, 1)), second: squared(float32(hashedStateDict(TINY, 2))) },
  digest: '0123456789abcdef',
  metadata: { name: 'My scans', learntFrom: 'ten of them' },
};

/** The checkpoint as a file with something changed. */
function edited(edit: (tensors: Map<string, StoredTensor>, metadata: Record<string, string>) => void): Uint8Array {
  const { tensors, metadata } = readSafetensors(writeCheckpoint(CHECKPOINT));
  edit(tensors, metadata);
  return writeSafetensors(tensors, metadata);
}

describe('a checkpoint', () => {
  it('comes back as it was written', () => {
    expect(readCheckpoint(writeCheckpoint(CHECKPOINT))).toEqual(CHECKPOINT);
  });

  it('has moments for trained parameters only', () => {
    const trained = (stateDict: StateDict) => new Map([...stateDict].filter(([name]) => isTrained(name, 'decoder')));
    const { first, second } = CHECKPOINT.moments!;
    const decoder: Checkpoint = {
      ...CHECKPOINT,
      options: { ...CHECKPOINT.options, parts: 'decoder' },
      moments: { first: trained(first), second: trained(second) },
    };
    expect(readCheckpoint(writeCheckpoint(decoder))).toEqual(decoder);
  });

  it('loads as weights, too', () => {
    const { stateDict, config, metadata } = readWeights({ name: 'c.safetensors', bytes: writeCheckpoint(CHECKPOINT) });
    expect(stateDict).toEqual(CHECKPOINT.stateDict);
    expect(config).toEqual(TINY);
    expect(metadata['name']).toBe('My scans');
  });

  it.each([
    ['weights without a run', (_: unknown, metadata: Record<string, string>) => delete metadata['format'], /no checkpoint of a training run/],
    ['a step beyond the last', (_: unknown, metadata: Record<string, string>) => (metadata['step'] = '51'), /step is 51, expected a whole number up to 50/],
    ['a step that is no number', (_: unknown, metadata: Record<string, string>) => (metadata['step'] = '1e1'), /step is 1e1/],
    ['options that are not JSON', (_: unknown, metadata: Record<string, string>) => (metadata['options'] = '{"steps":'), /options is .*expected a JSON object/],
    ['options that are missing', (_: unknown, metadata: Record<string, string>) => (metadata['options'] = '{}'), /expected finite numbers/],
    ['a batch that no memory holds', (_: unknown, metadata: Record<string, string>) =>
      (metadata['options'] = JSON.stringify({ ...CHECKPOINT.options, batch: 1e9 })), /batch is 1000000000/],
    ['parts that there are not', (_: unknown, metadata: Record<string, string>) =>
      (metadata['options'] = JSON.stringify({ ...CHECKPOINT.options, parts: ['<b>'] })), /parts is <b>, expected "all" or "decoder"/],
  ])('with %s is refused in a sentence', (_, edit, message) => {
    expect(() => readCheckpoint(edited(edit))).toThrow(TrainingError);
    expect(() => readCheckpoint(edited(edit))).toThrow(message);
  });

  it.each([
    ['a missing moment', (tensors: Map<string, StoredTensor>) => tensors.delete('adam.second.output.bias'), /adam\.second\.output\.bias is missing/],
    ['a moment of another shape', (tensors: Map<string, StoredTensor>) =>
      tensors.set('adam.first.output.bias', { shape: [2], data: new Float32Array(2) }), /output\.bias has shape \[2\]/],
    ['a moment that is not finite', (tensors: Map<string, StoredTensor>) =>
      tensors.set('adam.first.output.bias', { shape: [1], data: Float32Array.of(Infinity) }), /output\.bias holds Infinity/],
    ['a negative second moment', (tensors: Map<string, StoredTensor>) =>
      tensors.set('adam.second.output.bias', { shape: [1], data: Float32Array.of(-1) }), /holds negative numbers/],
    ['a parameter missing', (tensors: Map<string, StoredTensor>) => tensors.delete('output.bias'), /output\.bias is missing/],
  ])('with %s is refused by name', (_, edit, message) => {
    expect(() => readCheckpoint(edited(edit))).toThrow(WeightsError);
    expect(() => readCheckpoint(edited(edit))).toThrow(message);
  });

  it('that is cut anywhere, or has a byte of its header changed, is read whole or refused in a sentence', () => {
    const bytes = writeCheckpoint(CHECKPOINT);
    const headerLength = new DataView(bytes.buffer).getUint32(0, true);
    for (let cut = 0; cut < bytes.length; cut += 9973) {
      expect(() => readCheckpoint(bytes.subarray(0, cut))).toThrow(WeightsError);
    }
    for (let at = 0; at < headerLength; at += 211) {
      const changed = bytes.slice();
      changed[at] ^= 0x15;
      try {
        readCheckpoint(changed);
      } catch (error) {
        expect(error instanceof WeightsError || error instanceof TrainingError, String(error)).toBe(true);
      }
    }
  });
});

describe('the digest of images', () => {
  const image: TrainingImage = {
    name: 'a', height: 2, width: 3, reference: Float32Array.of(0, 0.1, 0.2, 0.3, 0.4, 0.5), input: () => new Float32Array(6),
    realisations: 1, gain: null, weight: 1,
  };
  const digest = (...training: TrainingImage[]) => digestOf({ training, validation: [] });

  it('is that of names, sizes, weights, gains, order and every pixel', () => {
    const other = { ...image, name: 'b' };
    const digests = [
      digest(image), digest(other), digest(image, other), digest(other, image), digest({ ...image, height: 3, width: 2 }),
      digest({ ...image, weight: 2 }), digest({ ...image, gain: [0.5, 1] }), digest({ ...image, realisations: 4 }),
      ...Array.from(image.reference, (value, i) => digest({ ...image, reference: image.reference.with(i, value + 0.01) })),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(digest({ ...image, reference: image.reference.slice() })).toBe(digest(image));
    expect(digest(image)).toMatch(/^[0-9a-f]{16}$/);
  });
});
