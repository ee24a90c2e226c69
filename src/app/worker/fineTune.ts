import { inputScores, validate } from '../../analysis/validate.ts';
import type { NamedBytes } from '../../formats/volume.ts';
import type { Trainer, TrainingData, TrainingImage, Validation } from '../../training/training.ts';
import { writeSafetensors } from '../../weights/safetensors.ts';
import type { LossPoint, StoredRun, TunePhase, TunePictures, TuneRequest, TuneRun, TuneStart } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';
import { sentence } from './jobs.ts';
import type { RunRecord, RunStore } from './runStore.ts';
import type { Ground } from './stage.ts';
import { tunedMetadata } from './tunedCard.ts';
import type { TunedCard } from './tunedCard.ts';
import type { SlicePainter } from './tunePictures.ts';

/** A run that is ready to take its next step. */
export interface PreparedRun {
  readonly trainer: Trainer;
  readonly data: TrainingData;
  readonly title: string;
  readonly start: TuneStart;
  readonly origin: string;
  readonly card: TunedCard;
  /** Slices and images that it learns from. */
  readonly size: { readonly slices: number; readonly scans: number };
  readonly checkpointEvery: number;
  readonly validateEvery: number;
  readonly device: string;
  readonly losses: LossPoint[];
  readonly validations: Validation[];
  readonly notices: string[];
  /** Where its checkpoints go; null where there is no room for them. */
  store: RunStore | null;
  stored: StoredRun | null;
  /** Lets another window of the app train. */
  release(): void;
  /** The shown slice restored before the first step, as a data URL; null until it is. */
  before: string | null;
  /** What before and after are shown of. */
  readonly shown: TrainingImage;
  readonly paint: SlicePainter;
}

/** Runs after everything that was asked for before, and before what is asked for later. */
export type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The event loop is left, so that messages are heard. */
const nextTask = () => new Promise<void>((resolve) => setTimeout(resolve));

/** A run in progress: one step a turn of the event loop, so that the page stays alive and is heard in between. */
export class FineTune {
  private readonly ground: Ground;
  private readonly turn: Turn;
  private readonly run: PreparedRun;
  private phase: TunePhase = 'preparing';
  private ending = false;
  private closed = false;
  private problem: string | null = null;
  private usable = true;
  private used = false;
  private inputs: ReturnType<typeof inputScores> | null = null;
  private pictures: Pick<TunePictures, 'input' | 'reference'> | null = null;

  constructor(run: PreparedRun, ground: Ground, turn: Turn) {
    this.run = run;
    this.ground = ground;
    this.turn = turn;
  }

  /** Says all there is to know of the run, and shows its slice. */
  async present(): Promise<void> {
    const { losses, validations, trainer } = this.run;
    this.ground.post({ type: 'tuneHistory', history: { losses, validations } });
    await this.measure();
    this.phase = trainer.step === trainer.options.steps ? 'ended' : 'paused';
    this.post();
  }

  /** Takes steps until the run is paused, stopped or done, or fails. */
  async go(): Promise<void> {
    if (!this.is('paused')) return;
    this.phase = 'running';
    this.used = false;
    this.post();
    const { trainer } = this.run;
    const began = { at: performance.now(), step: trainer.step };
    while (this.is('running')) {
      await nextTask();
      await this.turn(() => this.advance(began));
    }
    if (this.is('pausing')) await this.turn(() => this.rest());
  }

  pause(): void {
    if (!this.is('running')) return;
    this.phase = 'pausing';
    this.post();
  }

  stop(): void {
    this.ending = true;
    if (this.is('paused')) {
      this.phase = 'ended';
      this.post();
    } else {
      this.pause();
    }
  }

  /** Lets everything go; what is on the disk stays. */
  close(): void {
    this.closed = true;
    this.run.release();
    try {
      this.run.trainer.dispose();
    } catch {
      // Nothing is left to be let go on a device that is lost.
    }
  }

  /** The weights as they are now, as a file that says what they are. */
  async file(): Promise<NamedBytes> {
    const { trainer, card, size } = this.run;
    const metadata = tunedMetadata(card, this.run, trainer.options, trainer.step, size);
    const bytes = writeSafetensors(await trainer.weights(), metadata);
    return { name: tuneText.card.fileName(card.name), bytes };
  }

  markUsed(): void {
    this.used = true;
    this.post();
  }

  private is(phase: TunePhase): boolean {
    return this.phase === phase && !this.closed;
  }

  private async advance(began: { at: number; step: number }): Promise<void> {
    if (!this.is('running')) return;
    const { trainer, losses, validateEvery, checkpointEvery } = this.run;
    const { steps } = trainer.options;
    try {
      const { step, loss, rate } = await trainer.next();
      const point = { step, loss, rate };
      losses.push(point);
      const left = ((performance.now() - began.at) / (step - began.step)) * (steps - step);
      this.ground.post({ type: 'tuneStep', point, left });
      const last = step === steps;
      if (last || step % validateEvery === 0) await this.measure();
      if (last || step % checkpointEvery === 0) await this.keep();
      if (!last) return;
      this.phase = 'ended';
      this.post();
    } catch (error) {
      await this.fail(error);
    }
  }

  /** Keeps a checkpoint and waits. */
  private async rest(): Promise<void> {
    try {
      await this.keep();
    } catch (error) {
      return this.fail(error);
    }
    this.phase = this.ending ? 'ended' : 'paused';
    this.post();
  }

  /** Restores the images that are held back, and shows one of them. */
  private async measure(): Promise<void> {
    const { trainer, data: { validation }, validations, shown } = this.run;
    const { step } = trainer;
    let now: Float32Array | null = null;
    if (validation.length > 0) {
      const at = validation.indexOf(shown);
      let asked = 0;
      const restore: Trainer['restore'] = async (image, height, width) => {
        const restored = await trainer.restore(image, height, width);
        if (asked++ === at) now = restored;
        return restored;
      };
      this.inputs ??= inputScores(validation);
      const found = await validate({ step, restore }, validation, this.inputs);
      if (validations.at(-1)?.step !== step) {
        validations.push(found);
        this.ground.post({ type: 'tuneValidation', validation: found });
      }
    }
    now ??= await trainer.restore(shown.input(0), shown.height, shown.width);
    await this.show(now, step);
  }

  private async show(restored: Float32Array, step: number): Promise<void> {
    const { shown, paint } = this.run;
    const now = await paint(restored);
    if (step === 0) this.run.before = now;
    this.pictures ??= { input: await paint(shown.input(0)), reference: await paint(shown.reference) };
    const { before } = this.run;
    this.ground.post({ type: 'tunePictures', pictures: { name: shown.name, step, now, before, ...this.pictures } });
  }

  /** A disk that takes no checkpoint ends the checkpoints and not the run. */
  private async keep(): Promise<void> {
    const { run } = this;
    if (!run.store || run.stored?.step === run.trainer.step) return;
    const checkpoint = await run.trainer.checkpoint();
    try {
      run.stored = await run.store.keep(checkpoint, this.record());
    } catch (error) {
      run.store = null;
      run.notices.push(tuneText.notices.noRoom(error, run.stored?.step ?? null));
    }
    this.post();
  }

  private record(): RunRecord {
    const { title, start, origin, checkpointEvery, validateEvery, notices, losses, validations, trainer, before } = this.run;
    const { step, options: { steps } } = trainer;
    const history = { losses, validations };
    return {
      title, start, origin, checkpointEvery, validateEvery, step, steps, date: Date.now(), notices, history, before,
    };
  }

  /** Ends the run with a sentence; its weights are those of the last good step, if the device still has them. */
  private async fail(error: unknown): Promise<void> {
    const { stored, trainer } = this.run;
    this.usable = await trainer.weights().then(() => true, () => false);
    const kept = stored ? tuneText.failed.kept(stored.step) : tuneText.failed.nothingKept;
    this.problem = `${sentence(tuneText.failed.doing, error)}. ${kept}`;
    this.phase = 'ended';
    this.post();
  }

  private post(): void {
    if (this.closed) return;
    const { trainer, title, device, data, notices, stored } = this.run;
    const run: TuneRun = {
      phase: this.phase, title, device,
      step: trainer.step, steps: trainer.options.steps,
      images: { training: data.training.length, validation: data.validation.length },
      notices: [...notices], problem: this.problem, stored, used: this.used, usable: this.usable,
    };
    this.ground.post({ type: 'tuneRun', run });
  }
}

/** What the page shows while a run is being prepared. */
export function preparing(request: Pick<TuneRequest['options'], 'steps'>): TuneRun {
  return {
    phase: 'preparing', title: '', device: '', step: 0, steps: request.steps, images: { training: 0, validation: 0 },
    notices: [], problem: null, stored: null, used: false, usable: false,
  };
}
