import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { inputScores, validate, type Scores } from '../analysis/validate.ts';
import { createTrainer, resumeTrainer } from '../training/trainer.ts';
import type { StepReport, Trainer, TrainingData } from '../training/training.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import { readInput } from './files.ts';
import { loadData } from './trainData.ts';
import { note } from './terminal.ts';
import { fitted, openTrainingDevice } from './trainDevice.ts';
import { parseTrain, type TrainArguments } from './trainOptions.ts';
import { beginning, continuation, runMetadata, weightsMetadata } from './trainStart.ts';
import { writeDurably } from './writeDurably.ts';

/** `train --data DIR --task ct|pet|mri|all --steps N --out FILE`: fine-tuning without a page, or training from scratch. */
export async function train(args: string[]): Promise<number> {
  const settings = parseTrain(args);
  await stat(dirname(resolve(settings.out)));
  const { trainer, data, metadata } = settings.resume === null
    ? await begin(settings)
    : await goOn((await readInput(settings.resume)).bytes, settings);
  if (!(await loop(trainer, data, settings))) return 1;
  const { options, config } = trainer;
  await writeDurably(
    settings.out, writeSafetensors(await trainer.weights(), weightsMetadata(metadata, options, config)),
  );
  note(`weights written to ${settings.out}`);
  trainer.dispose();
  return 0;
}

interface Begun {
  readonly trainer: Trainer;
  readonly data: TrainingData;
  /** Of every checkpoint of the run. */
  readonly metadata: Readonly<Record<string, string>>;
}

async function begin(settings: TrainArguments): Promise<Begun> {
  const { notices, ...begun } = await beginning(settings);
  note(...notices);
  const { lesson, stateDict, config, rules } = begun;
  const device = await openTrainingDevice(settings.device);
  const options = fitted(begun.options, config, device);
  process.stderr.write(`device: ${device.name}\n`);
  const loaded = await loadData(settings, lesson, options.seed, rules, note);
  countImages(loaded.data);
  if (options.recompute && !begun.options.recompute) note('images are computed twice to save memory');
  const metadata = runMetadata(settings, begun, loaded.learntFrom);
  const { data } = loaded;
  return { trainer: createTrainer({ stateDict, config, options, data, metadata }), data, metadata };
}

async function goOn(checkpoint: Uint8Array, settings: TrainArguments): Promise<Begun> {
  const { options, lesson, rules, metadata } = continuation(checkpoint, settings);
  process.stderr.write(`device: ${(await openTrainingDevice(settings.device)).name}\n`);
  const { data } = await loadData(settings, lesson, options.seed, rules, note);
  countImages(data);
  return { trainer: resumeTrainer(checkpoint, data), data, metadata };
}

function countImages({ training, validation }: TrainingData): void {
  note(`${training.length} slices to learn from, ${validation.length} to validate with`);
}

/** Steps until all are done, true, or until a signal asks to stop, false. */
async function loop(trainer: Trainer, data: TrainingData, settings: TrainArguments): Promise<boolean> {
  const { out, checkpointEvery, json } = settings;
  const { steps } = trainer.options;
  const validateEvery = settings.validateEvery ?? Math.max(50, Math.ceil(steps / 10));
  const checkpointFile = `${out}.checkpoint`;
  const judge = judgeOf(trainer, data, json);
  const signals = listenForSignals();
  const print = printerOf(trainer, json);
  if (trainer.step === 0 && validateEvery > 0) await judge();
  while (trainer.step < steps) {
    const report = await trainer.next();
    print(report);
    // A step on wasm never waits for anything: signals come in here.
    await new Promise((go) => setImmediate(go));
    const { step } = report;
    const isLast = step === steps;
    const signal = signals();
    if (signal || isLast || isDue(step, checkpointEvery)) await writeDurably(checkpointFile, await trainer.checkpoint());
    if (signal && !isLast) {
      note(`${signal}: stopped after step ${step}; go on with --resume ${checkpointFile}`);
      return false;
    }
    if (validateEvery > 0 && (isLast || isDue(step, validateEvery))) await judge();
  }
  return true;
}

const isDue = (step: number, every: number): boolean => every > 0 && step % every === 0;

/** The signal that asked to stop, if one did; a second one ends the process at once. */
function listenForSignals(): () => string | null {
  let received: string | null = null;
  const stop = (name: string) => {
    if (received) process.exit(1);
    received = name;
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return () => received;
}

function printerOf(trainer: Trainer, json: boolean): (report: StepReport) => void {
  const { steps } = trainer.options;
  const [begin, first] = [performance.now(), trainer.step];
  return ({ step, loss, rate, gradientNorm, milliseconds }) => {
    const ms = Math.round(milliseconds);
    if (json) {
      console.log(JSON.stringify({ step, loss, rate, gradientNorm, ms }));
      return;
    }
    const left = ((performance.now() - begin) / (step - first)) * (steps - step);
    console.log(
      `step ${step} of ${steps}  loss ${loss.toFixed(5)}  rate ${rate.toExponential(2)}  ${ms} ms  ${duration(left)} left`,
    );
  };
}

function judgeOf(trainer: Trainer, { validation }: TrainingData, json: boolean): () => Promise<void> {
  let inputs: Scores | null = null;
  return async () => {
    if (validation.length === 0) return;
    inputs ??= inputScores(validation);
    const found = await validate(trainer, validation, inputs);
    if (json) console.log(JSON.stringify(found));
    else {
      console.log(
        `step ${found.step}  validation PSNR ${found.inputPsnr.toFixed(2)} → ${found.psnr.toFixed(2)} dB  ` +
        `SSIM ${found.inputSsim.toFixed(4)} → ${found.ssim.toFixed(4)}`,
      );
    }
  };
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
