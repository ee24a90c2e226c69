import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { LIGHT } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { fromTrainable, toTrainable } from '../weights/trainableWeights.ts';
import { adamStep, type AdamState } from './adam.ts';
import { flatten, leavesOf, unflatten } from './flatParameters.ts';
import { createObjective } from './objective.ts';
import { cosineRate } from './schedule.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { trainingOps } from './tfjsTrainingOps.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';

/** 20 steps of Adam on one batch with the light network, computed in float64 by PyTorch. */
const url = new URL('../../public/conformance/training-trace.safetensors', import.meta.url);
const { tensors: golden, metadata } = readSafetensors(new Uint8Array(readFileSync(url)));
const values = (name: string) => golden.get(name)!.data;
const RUN = { steps: 20, rate: 2e-4, lastRate: 1e-6 };

beforeAll(() => useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() }));

const norm = (data: ArrayLike<number>) => Math.sqrt(Array.from(data).reduce((sum, value) => sum + value ** 2, 0));

describe('the golden run', () => {
  it('has our learning rates', () => {
    // PyTorch computes each from the one before, in float64: its roundings add up to a few units in the last place.
    values('lr').forEach((rate, step) => expect(cosineRate(step, RUN) / rate).toBeCloseTo(1, 13));
  });

  it('has our losses, gradients and weights', { timeout: 400_000 }, async () => {
    const all = toTrainable(hashedStateDict(LIGHT, 0), LIGHT);
    const leaves = leavesOf(all);
    const objective = createObjective({ config: LIGHT, leaves, frozen: new Map(), recompute: false }, trainingOps());
    const [x, target] = ['lq', 'hq'].map((name) => {
      const [n, , h, w] = golden.get(name)!.shape;
      return tf.tensor4d(Float32Array.from(values(name)), [n, h, w, 1]);
    });
    const flat = flatten(all, leaves);
    let state: AdamState = {
      parameters: tf.tensor1d(flat), first: tf.zeros([flat.length]), second: tf.zeros([flat.length]),
    };
    const order = JSON.parse(metadata['order']) as string[];
    const normsOf = async (vector: tf.Tensor) => {
      const named = fromTrainable(unflatten((await vector.data()) as Float32Array, leaves), LIGHT);
      return order.map((name) => norm(named.get(name)!.data));
    };
    const losses: number[] = [];
    for (let step = 0; step < RUN.steps; step++) {
      const { loss, gradient } = objective.lossAndGradient(state.parameters, x, target);
      losses.push((await loss.data())[0]);
      if (step === 0) expectClose(await normsOf(gradient), values('grad_norms'), 1e-3, 'gradient norms');
      const next = adamStep(state, gradient, cosineRate(step, RUN), step + 1);
      tf.dispose([{ ...state }, loss, gradient]);
      state = next;
    }
    expectClose(losses, values('loss'), 1e-4, 'losses');
    // 20 steps move each weight by 20 · 2e-4 at most: far more than this bound on norms.
    expectClose(await normsOf(state.parameters), values('param_norms_after'), 1e-4, 'weights');
    tf.dispose([{ ...state }, x, target]);
    objective.dispose();
  });
});

/** Each value within a share of the expected one. */
function expectClose(found: readonly number[], expected: ArrayLike<number>, share: number, what: string): void {
  expect(found).toHaveLength(expected.length);
  const off = found.map((value, i) => Math.abs(value - expected[i]) / (Math.abs(expected[i]) + 1e-12));
  expect(Math.max(...off), what).toBeLessThan(share);
}
