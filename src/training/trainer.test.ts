import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestDevice } from '../engine/device.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { TINY } from '../model/config.ts';
import { initialStateDict } from '../weights/initialWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import { readCheckpoint } from './checkpoint.ts';
import { isTrained } from './flatParameters.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { createTfjsNetwork } from './tfjsNetwork.ts';
import { nodeWasmPaths } from './tfjsWasmNode.ts';
import { createTrainer, resumeTrainer } from './trainer.ts';
import { TrainingError, type Trainer, type TrainingImage, type TrainingOptions } from './training.ts';

const OPTIONS: TrainingOptions = {
  steps: 12, batch: 2, crop: 16, rate: 2e-3, lastRate: 1e-6, seed: 1, clip: null, parts: 'all',
};

/** Waves as reference, waves with a pattern as input; odd sizes. */
function waves(height: number, width: number, pattern = 0.1): TrainingImage {
  const reference = Float32Array.from({ length: height * width }, (_, i) =>
    0.5 + 0.3 * Math.sin((i % width) / 4) * Math.cos(Math.floor(i / width) / 3));
  const input = (realisation: number) => reference.map((value, i) => value + pattern * Math.sin(i * (12.9 + realisation)));
  return { name: `waves ${height} × ${width}`, height, width, reference, input, realisations: 3, gain: [0.8, 1.2], weight: 1 };
}

const DATA = { training: [waves(33, 21), waves(17, 40)], validation: [] };
const start = (changes: Partial<TrainingOptions> = {}, data = DATA) =>
  createTrainer({ stateDict: initialStateDict(TINY, 0), config: TINY, options: { ...OPTIONS, ...changes }, data });

async function losses(trainer: Trainer, steps: number): Promise<number[]> {
  const list: number[] = [];
  for (let i = 0; i < steps; i++) list.push((await trainer.next()).loss);
  return list;
}

const useWasm = () => useTfjsBackend('wasm', { wasmPaths: nodeWasmPaths() });
beforeAll(useWasm);

describe('a training run', () => {
  it('learns: the loss falls, and an image is restored better than before', { timeout: 240_000 }, async () => {
    const trainer = start({ steps: 60 });
    const image = waves(19, 13);
    const error = async () => {
      const restored = await trainer.restore(image.input(9), 19, 13);
      expect(restored).toHaveLength(19 * 13);
      return restored.reduce((sum, value, i) => sum + Math.abs(value - image.reference[i]), 0) / restored.length;
    };
    const before = await error();
    const all = await losses(trainer, 60);
    const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(mean(all.slice(-10))).toBeLessThan(0.8 * mean(all.slice(0, 10)));
    expect(await error()).toBeLessThan(0.8 * before);
    trainer.dispose();
  });

  it('gives the same losses to the last bit when it goes on from a checkpoint', async () => {
    const straight = start();
    const expected = await losses(straight, 12);
    const interrupted = start();
    const first = await losses(interrupted, 5);
    const bytes = await interrupted.checkpoint();
    interrupted.dispose();
    const resumed = resumeTrainer(bytes, DATA);
    expect(resumed.step).toBe(5);
    expect([...first, ...await losses(resumed, 7)]).toEqual(expected);
    expect(await resumed.weights()).toEqual(await straight.weights());
    await expect(resumed.next()).rejects.toThrow(/all 12 steps are done/);
    straight.dispose();
    resumed.dispose();
  });

  it('does so for the decoder alone and with clipping, too', async () => {
    const changes = { parts: 'decoder', clip: 0.05, recompute: true } as const;
    const straight = start(changes);
    const expected = await losses(straight, 5);
    const interrupted = start(changes);
    const first = await losses(interrupted, 2);
    const resumed = resumeTrainer(await interrupted.checkpoint(), DATA);
    expect(resumed.options).toEqual({ ...OPTIONS, ...changes });
    expect([...first, ...await losses(resumed, 3)]).toEqual(expected);
    for (const trainer of [straight, interrupted, resumed]) trainer.dispose();
  });

  it('does not go on with other images', async () => {
    const trainer = start();
    const bytes = await trainer.checkpoint();
    trainer.dispose();
    const others = { ...DATA, training: [DATA.training[1], DATA.training[0]] };
    expect(() => resumeTrainer(bytes, others)).toThrow(TrainingError);
    const changed = { ...DATA.training[0], reference: DATA.training[0].reference.with(7, 0.25) };
    expect(() => resumeTrainer(bytes, { ...DATA, training: [changed, DATA.training[1]] })).toThrow(/other images than these/);
    const sameImages = { training: DATA.training, validation: [waves(9, 9)] };
    resumeTrainer(bytes, sameImages).dispose();
  });

  it('reports rates that fall by half a cosine, and each step in its turn', async () => {
    const trainer = start({ steps: 4, rate: 1e-2, lastRate: 1e-4 });
    const reports = [await trainer.next(), await trainer.next(), await trainer.next()];
    expect(reports.map(({ step }) => step)).toEqual([1, 2, 3]);
    // 1e-4 + 9.9e-3 (1 + cos(π t / 4)) / 2 at t = 0, 1, 2.
    expect(reports[0].rate).toBeCloseTo(1e-2, 12);
    expect(reports[1].rate).toBeCloseTo(1e-4 + (9.9e-3 * (1 + Math.SQRT1_2)) / 2, 12);
    expect(reports[2].rate).toBeCloseTo(5.05e-3, 12);
    expect(reports.every(({ gradientNorm, milliseconds }) => gradientNorm > 0 && milliseconds > 0)).toBe(true);
    trainer.dispose();
  });

  it('stops where numbers are not finite, with the weights of the last good step', async () => {
    const broken = { ...waves(16, 16), input: () => new Float32Array(256).fill(NaN) };
    // A weight that is next to nothing: the sampler takes it now and then, here at a step that is found by looking.
    const data = { training: [waves(33, 21), { ...broken, weight: 0.1 }], validation: [] };
    const trainer = start({ batch: 1, steps: 100 }, data);
    let weights = await trainer.weights();
    let refusal: unknown = null;
    while (refusal === null) {
      refusal = await trainer.next().then(() => null, (error: unknown) => error);
      if (refusal === null) weights = await trainer.weights();
    }
    expect(refusal).toBeInstanceOf(TrainingError);
    expect((refusal as Error).message).toMatch(/loss is NaN .* weights of step \d+; take a lower learning rate/);
    expect(await trainer.weights()).toEqual(weights);
    expect(trainer.step).toBeGreaterThan(0);
    resumeTrainer(await trainer.checkpoint(), data).dispose();
    trainer.dispose();
  });

  it('clips gradients to a norm over all parameters, and reports the norm before', async () => {
    const free = start({ steps: 2 });
    const clipped = start({ steps: 2, clip: 1e-3 });
    const [{ gradientNorm }, { gradientNorm: reported }] = [await free.next(), await clipped.next()];
    expect(reported).toBe(gradientNorm);
    expect(gradientNorm).toBeGreaterThan(1e-2);
    const { moments } = readCheckpoint(await clipped.checkpoint());
    const squares = [...moments!.first.values()].flatMap(({ data }) => [...data]).map((value) => value ** 2);
    // After one step first moments are (1 − 0.9) times the gradients.
    expect(Math.sqrt(squares.reduce((sum, value) => sum + value)) / 1e-4).toBeCloseTo(1, 5);
    free.dispose();
    clipped.dispose();
  });
});

describe('a run whose device is gone', () => {
  it('is refused in one sentence, without growing', async () => {
    const trainer = start();
    trainer.dispose();
    const before = tf.memory().numTensors;
    await expect(trainer.next()).rejects.toThrow(TrainingError);
    await expect(trainer.next()).rejects.toThrow(/^training: the device could not compute step 1; go on from the last checkpoint/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('memory of a training run', () => {
  it('is the same after 10 steps and after 200, and none after its end', { timeout: 240_000 }, async () => {
    const before = tf.memory().numTensors;
    const trainer = start({ steps: 200, crop: 8, batch: 1 });
    await losses(trainer, 10);
    const { numTensors, numBytes } = tf.memory();
    await losses(trainer, 190);
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(tf.memory().numBytes).toBe(numBytes);
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('leaves nothing behind from a step that fails', async () => {
    const broken = { ...waves(16, 16), input: () => new Float32Array(256).fill(NaN) };
    const trainer = start({}, { training: [broken], validation: [] });
    const before = tf.memory();
    await expect(trainer.next()).rejects.toThrow(TrainingError);
    expect(tf.memory().numTensors).toBe(before.numTensors);
    expect(tf.memory().numBytes).toBe(before.numBytes);
    trainer.dispose();
  });
});

describe('the decoder alone', () => {
  it('leaves encoder and latent as they were and changes the rest', async () => {
    const trainer = start({ parts: 'decoder' });
    await losses(trainer, 3);
    const begun = initialStateDict(TINY, 0);
    for (const [name, { data }] of await trainer.weights()) {
      const { data: then } = begun.get(name)!;
      if (isTrained(name, 'decoder')) expect(data, name).not.toEqual(then);
      else expect(data, name).toEqual(then);
    }
    expect(isTrained('latent.0.gamma1', 'decoder')).toBe(false);
    expect(isTrained('down3_4.body.0.weight', 'decoder')).toBe(false);
    expect(isTrained('up4_3.body.0.weight', 'decoder')).toBe(true);
    trainer.dispose();
  });

  it('gets the gradients that it has when all is trained', async () => {
    const first = async (parts: TrainingOptions['parts']) => {
      const trainer = start({ parts, steps: 1 });
      await trainer.next();
      const weights = await trainer.weights();
      trainer.dispose();
      return weights;
    };
    const [all, decoder] = [await first('all'), await first('decoder')];
    for (const [name, { data }] of all) if (isTrained(name, 'decoder')) expect(decoder.get(name)!.data, name).toEqual(data);
  });
});

describe('the weights of a run', () => {
  it('load as a file and restore as the trainer does', async () => {
    const trainer = start();
    await losses(trainer, 4);
    const image = waves(16, 24).input(0);
    const expected = await trainer.restore(image, 16, 24);
    const file = { name: 'trained.safetensors', bytes: writeSafetensors(await trainer.weights(), { name: 'Trained' }) };
    trainer.dispose();
    const { stateDict, config, ignored, metadata } = readWeights(file);
    expect({ config, ignored, metadata }).toEqual({ config: TINY, ignored: [], metadata: { name: 'Trained' } });
    const network = createTfjsNetwork(toNetworkWeights(stateDict, config));
    const restored = await network.restore(image, 16, 24);
    network.dispose();
    // Omni-Shift is merged in float64 on one side and in float32 on the other.
    const difference = restored.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i])), 0);
    expect(difference).toBeLessThan(2e-6);
  });

  it('refuse an image that is not as large as it says', async () => {
    const trainer = start();
    await expect(trainer.restore(new Float32Array(12), 3, 5)).rejects.toThrow(/12 values for 3 × 5 pixels/);
    trainer.dispose();
  });
});

describe('a training run on WebGPU', () => {
  let gpu: Awaited<ReturnType<typeof requestDevice>> | null = null;
  let onWasm: number[] = [];
  beforeAll(async () => {
    const trainer = start();
    onWasm = await losses(trainer, 5);
    trainer.dispose();
    gpu = await requestDevice(await installNodeWebGpu());
    await useTfjsBackend('webgpu', { device: gpu.device, adapterInfo: gpu.adapter.info });
  });
  afterAll(async () => {
    await useWasm();
    gpu?.device.destroy();
  });

  it('has the losses that it has on wasm, keeps no tensor, and goes on with the same', async () => {
    const straight = start();
    const { numTensors } = tf.memory();
    const expected = await losses(straight, 5);
    expect(tf.memory().numTensors).toBe(numTensors);
    // Two float32 computations in another order, five steps of Adam apart: about 1e-5 seen.
    expected.forEach((loss, i) => expect(Math.abs(loss / onWasm[i] - 1)).toBeLessThan(2e-4));
    const interrupted = start();
    const first = await losses(interrupted, 2);
    const resumed = resumeTrainer(await interrupted.checkpoint(), DATA);
    expect([...first, ...await losses(resumed, 3)]).toEqual(expected);
    for (const trainer of [straight, interrupted, resumed]) trainer.dispose();
  });
});

describe('options of a run', () => {
  it.each([
    [{ crop: 20 }, /crop is 20, expected a multiple of 8/], [{ batch: 0 }, /batch is 0/], [{ steps: 1.5 }, /steps is 1\.5/],
    [{ rate: NaN }, /rate is NaN/], [{ clip: 0 }, /clip is 0/], [{ seed: -1 }, /seed is -1/],
  ])('%o are refused', (changes, message) => {
    const before = tf.memory().numTensors;
    expect(() => start(changes)).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});
