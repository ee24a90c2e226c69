import { describe, expect, it } from 'vitest';
import { LIGHT } from '../../model/config.ts';
import { DEFAULT_OPTIONS, TrainingError } from '../../training/training.ts';
import type { Trainer, TrainingImage } from '../../training/training.ts';
import { readSafetensors } from '../../weights/safetensors.ts';
import type { TuneRun } from '../fineTune.ts';
import type { FromWorker } from '../protocol.ts';
import { FineTune } from './fineTune.ts';
import type { PreparedRun } from './fineTune.ts';
import type { RunRecord, RunStore } from './runStore.ts';
import type { Ground } from './stage.ts';

const EDGE = 12;
const image = (name: string): TrainingImage => {
  const reference = Float32Array.from({ length: EDGE * EDGE }, (_, i) => (i % 7) / 7);
  const input = reference.map((value) => value * 0.9);
  return { name, height: EDGE, width: EDGE, reference, input: () => input, realisations: 1, gain: null, weight: 1 };
};

interface Faults {
  /** Step at which the loss is no number. */
  readonly nan?: number;
  readonly lost?: number;
  /** Checkpoints that fit on the disk. */
  readonly room?: number;
}

/** A run with a trainer whose loss at step n is 1/n and whose images become their references. */
function runWith({ nan, lost, room = Infinity }: Faults = {}, validation = [image('held')]) {
  let step = 0;
  const said: FromWorker[] = [];
  const kept: RunRecord[] = [];
  const options = { ...DEFAULT_OPTIONS, steps: 10 };
  const trainer: Trainer = {
    config: LIGHT,
    options,
    get step() {
      return step;
    },
    async next() {
      if (step + 1 === nan) throw new TrainingError('training: at step 4 the loss is NaN');
      if (step + 1 === lost) throw new TrainingError('training: the device gave no result');
      step++;
      return { step, loss: 1 / step, rate: 1e-3, gradientNorm: 1, milliseconds: 1 };
    },
    restore: async (data) => data.map((value) => value / 0.9),
    checkpoint: async () => Uint8Array.of(step),
    async weights() {
      if (lost !== undefined && step + 1 >= lost) throw new TrainingError('training: lost');
      return new Map([['output.bias', { shape: [1], data: Float32Array.of(step) }]]);
    },
    dispose: () => undefined,
  };
  const store = {
    async keep(_: Uint8Array, record: RunRecord) {
      if (kept.length >= room) throw new DOMException('the disk is full', 'QuotaExceededError');
      kept.push(record);
      return { title: record.title, step: record.step, steps: 10, date: 0, bytes: 1 };
    },
  } as unknown as RunStore;
  const run: PreparedRun = {
    trainer, data: { training: [image('learnt')], validation }, title: 'run', start: 'model', origin: 'Light',
    card: { name: 'My fine-tuned Light', normalisation: {}, tasks: [] }, size: { slices: 1, scans: 1 },
    checkpointEvery: 3, validateEvery: 5, device: 'here', losses: [], validations: [], notices: [], store, stored: null, before: null,
    release: () => undefined, shown: validation[0] ?? image('learnt'), paint: async () => 'data:,',
  };
  const ground = { post: (message: FromWorker) => void said.push(message) } as unknown as Ground;
  const tune = new FineTune(run, ground, (work) => work());
  const runs = () => said.flatMap((message) => (message.type === 'tuneRun' && message.run ? [message.run] : []));
  const last = (): TuneRun => runs().at(-1)!;
  return { tune, run, said, kept, last };
}

describe('a run', () => {
  it('takes all steps, measures at first, every fifth and at last, keeps every third and the last', async () => {
    const { tune, run, kept, last } = runWith();
    await tune.present();
    expect(last().phase).toBe('paused');
    await tune.go();
    expect(run.losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(run.validations.map(({ step }) => step)).toEqual([0, 5, 10]);
    expect(kept.map(({ step }) => step)).toEqual([3, 6, 9, 10]);
    expect(last()).toMatchObject({ phase: 'ended', step: 10, problem: null, usable: true });
  });

  it('is kept when it is paused, hears that between two steps, and goes on from there', async () => {
    const { tune, run, kept, last } = runWith();
    await tune.present();
    const going = tune.go();
    while (run.trainer.step < 4) await new Promise((resolve) => setTimeout(resolve));
    tune.pause();
    await going;
    const paused = run.trainer.step;
    expect(last()).toMatchObject({ phase: 'paused', step: paused });
    expect(kept.at(-1)!.step).toBe(paused);
    expect(kept.at(-1)!.history.losses.at(-1)!.step).toBe(paused);
    await tune.go();
    expect(run.losses.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('that is stopped does not go on', async () => {
    const { tune, run, last } = runWith();
    await tune.present();
    const going = tune.go();
    tune.stop();
    await going;
    expect(last().phase).toBe('ended');
    const { step } = run.trainer;
    await tune.go();
    expect(run.trainer.step).toBe(step);
  });

  it('ends with one sentence where the loss is no number; the last checkpoint and the weights stay', async () => {
    const { tune, kept, last } = runWith({ nan: 8 });
    await tune.present();
    await tune.go();
    expect(last()).toMatchObject({ phase: 'ended', step: 7, usable: true });
    expect(last().problem).toBe('training: at step 4 the loss is NaN. The checkpoint at step 6 is kept.');
    expect(kept.at(-1)!.step).toBe(6);
  });

  it('ends where the device is lost, and has no weights to offer then', async () => {
    const { tune, last } = runWith({ lost: 2 });
    await tune.present();
    await tune.go();
    expect(last()).toMatchObject({ phase: 'ended', usable: false });
    expect(last().problem).toMatch(/No checkpoint was kept\.$/);
  });

  it('goes on without checkpoints where the disk is full, and says where a reload would continue', async () => {
    const { tune, kept, last } = runWith({ room: 1 });
    await tune.present();
    await tune.go();
    expect(kept.map(({ step }) => step)).toEqual([3]);
    expect(last()).toMatchObject({ phase: 'ended', step: 10, problem: null });
    expect(last().notices).toEqual([expect.stringMatching(/^No further checkpoint.*continues from step 3\.$/)]);
  });

  it('without a slice to hold back measures nothing and still shows one', async () => {
    const { tune, run, said } = runWith({}, []);
    await tune.present();
    await tune.go();
    expect(run.validations).toEqual([]);
    const pictures = said.filter((message) => message.type === 'tunePictures');
    expect(pictures.map((message) => message.pictures.step)).toEqual([0, 5, 10]);
  });

  it('gives weights that say what they were trained from, and by how many steps', async () => {
    const { tune } = runWith();
    await tune.present();
    await tune.go();
    const { name, bytes } = await tune.file();
    expect(name).toBe('my-fine-tuned-light.safetensors');
    const { tensors, metadata } = readSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(['output.bias']);
    expect(metadata).toMatchObject({ name: 'My fine-tuned Light', normalisation: '{}', tasks: '[]', steps: '10' });
    expect(metadata['training']).toMatch(/^Fine-tuned from Light in a browser on 1 slice of 1 image: 10 steps of 4/);
  });
});
