import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { FULL, LIGHT, type Config } from '../model/config.ts';
import { initialStateDict } from '../weights/initialWeights.ts';
import { toTrainable } from '../weights/trainableWeights.ts';
import { adamStep } from './adam.ts';
import { flatten, isTrained, leavesOf } from './flatParameters.ts';
import { safeBatch, trainingBytes } from './memory.ts';
import { createObjective } from './objective.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { trainingOps } from './tfjsTrainingOps.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';
import type { TrainingOptions } from './training.ts';

beforeAll(() => useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() }));

type Parts = TrainingOptions['parts'];
const SMALL: Config = { dim: 8, blocks: [1, 2, 1, 1], refinement: 2, recurrence: 2 };

/** Bytes of all tensors at the fullest moment of a step, by tfjs's own count. */
async function measuredBytes(config: Config, batch: number, crop: number, parts: Parts, recompute: boolean): Promise<number> {
  const before = tf.memory();
  const all = toTrainable(initialStateDict(config, 0), config);
  const part = (trained: boolean) => new Map([...all].filter(([path]) => isTrained(path, parts) === trained));
  const leaves = leavesOf(part(true));
  const objective = createObjective({ config, leaves, frozen: part(false), recompute }, trainingOps());
  const parameters = tf.tensor1d(flatten(part(true), leaves));
  const state = { parameters, first: tf.zerosLike(parameters), second: tf.zerosLike(parameters) };
  const image = tf.randomUniform([batch, crop, crop, 1]);
  const { peakBytes } = await tf.profile(() => tf.tidy(() => {
    const { gradient } = objective.lossAndGradient(parameters, image, image);
    return [adamStep(state, gradient, 1e-3, 1).parameters];
  }).forEach((tensor) => tensor.dispose()) as unknown as tf.TensorContainer);
  tf.dispose([{ ...state }, image]);
  objective.dispose();
  expect(tf.memory().numTensors).toBe(before.numTensors);
  return peakBytes - before.numBytes;
}

describe('the memory of a training step', () => {
  it.each([
    ['small, 2 crops of 32', SMALL, 2, 32, 'all', false],
    ['small, 1 crop of 64', SMALL, 1, 64, 'all', false],
    ['small, 1 crop of 64, decoder', SMALL, 1, 64, 'decoder', false],
    ['small, 2 crops of 48, computed twice', SMALL, 2, 48, 'all', true],
    ['small, 1 crop of 64, decoder computed twice', SMALL, 1, 64, 'decoder', true],
    ['light, 1 crop of 48', LIGHT, 1, 48, 'all', false],
    ['light, 1 crop of 48, computed twice', LIGHT, 1, 48, 'all', true],
  ] as const)('is estimated within 30 per cent: %s', async (_, config, batch, crop, parts, recompute) => {
    const measured = await measuredBytes(config, batch, crop, parts, recompute);
    const estimate = trainingBytes(config, batch, crop, parts, recompute);
    expect(estimate / measured).toBeGreaterThan(0.7);
    expect(estimate / measured).toBeLessThan(1.3);
  });

  it('is smaller where only the decoder is trained, and far smaller where images are computed twice', async () => {
    const whole = await measuredBytes(SMALL, 1, 64, 'all', false);
    // Encoder level 1 has 8 channels in one block; the decoder and refinement have 16 there, in three blocks.
    expect(await measuredBytes(SMALL, 1, 64, 'decoder', false)).toBeLessThan(0.85 * whole);
    expect(await measuredBytes(SMALL, 1, 64, 'all', true)).toBeLessThan(0.4 * whole);
  });
});

describe('the batch that memory allows', () => {
  it.each([
    ['light at 128 in 2 GiB', LIGHT, 128, 2 ** 31], ['light at 64 in 300 MB', LIGHT, 64, 3e8], ['full at 64 in 8 GiB', FULL, 64, 2 ** 33],
  ] as const)('is the largest one that fits: %s', (_, config, crop, bytes) => {
    for (const recompute of [false, true]) {
      const batch = safeBatch(config, crop, bytes, 'all', recompute);
      expect(batch).toBeGreaterThan(0);
      expect(trainingBytes(config, batch, crop, 'all', recompute)).toBeLessThanOrEqual(bytes);
      expect(trainingBytes(config, batch + 1, crop, 'all', recompute)).toBeGreaterThan(bytes);
    }
  });

  it('is none where not even one crop fits', () => {
    expect(safeBatch(FULL, 256, 2 ** 30)).toBe(0);
    expect(safeBatch(LIGHT, 64, 0)).toBe(0);
    expect(safeBatch(LIGHT, 64, NaN)).toBe(0);
  });
});
