import { STRENGTH } from '../../image/degrade.ts';
import { fileCardOf } from '../../image/cardMetadata.ts';
import type { ModelCard } from '../../image/modelCard.ts';
import { SCRATCH_RULES } from '../../image/normalise.ts';
import { LIGHT, TINY } from '../../model/config.ts';
import type { Config } from '../../model/config.ts';
import { checkOptions } from '../../training/options.ts';
import type { TrainingImage } from '../../training/training.ts';
import type { StateDict } from '../../weights/tensor.ts';
import type { FitRequest, TuneRequest, TuneStart } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';
import { FineTune, preparing } from './fineTune.ts';
import type { PreparedRun, Turn } from './fineTune.ts';
import { gather } from './gathering.ts';
import { UserError, proceed, sentence } from './jobs.ts';
import type { Job } from './jobs.ts';
import { openOpfs } from './opfs.ts';
import { imagesOf, readLesson, writeLesson } from './runImages.ts';
import type { Lesson } from './runImages.ts';
import { createRunStore } from './runStore.ts';
import type { RunStore } from './runStore.ts';
import type { Session } from './session.ts';
import { startTrainingDevice, trainingDeviceOf } from './trainingDevice.ts';
import { tunedCard, tunedMetadata } from './tunedCard.ts';
import { slicePainter } from './tunePictures.ts';

/** Crops a step of the paper. */
const MOST_CROPS = 4;
/** A worker that a reload has ended lets go of its lock within this time (ms). */
const LOCK_WAIT = 3000;

/** What a run begins with. */
interface Beginning {
  readonly stateDict: Readonly<StateDict>;
  readonly config: Config;
  /** The model's name. */
  readonly origin: string;
  readonly rules: ModelCard['normalisation'];
}

/** The one run of this page: prepared from what a user chose, or from what lies on the disk. */
export class Tuning {
  private readonly session: Session;
  private readonly turn: Turn;
  private current: FineTune | null = null;

  constructor(session: Session, turn: Turn) {
    this.session = session;
    this.turn = turn;
  }

  /** Says which run lies on the disk. */
  async tellStored(): Promise<void> {
    const stored = await openOpfs(false).then((folder) => createRunStore(folder).about(), () => null);
    this.post({ type: 'tuneStored', stored });
  }

  /** Memory of a step, and how much there is. */
  async tellFit(request: FitRequest): Promise<void> {
    const { trainingBytes, safeBatch } = await import('../../training/memory.ts');
    const { available } = trainingDeviceOf(await this.session.ground.machine());
    const config = await this.configOf(request.start);
    const { crop, batch, parts } = request;
    const most = safeBatch(config, crop, available, parts);
    const recompute = trainingBytes(config, batch, crop, parts) > available;
    const bytes = trainingBytes(config, batch, crop, parts, recompute);
    const fits = most > 0 ? most : safeBatch(config, crop, available, parts, true);
    this.post({ type: 'tuneFits', fit: { request, bytes, available, recompute, batch: Math.min(MOST_CROPS, fits) } });
  }

  /** Reads what is learnt from, and takes the first steps. */
  async begin(request: TuneRequest, job: Job): Promise<void> {
    await this.prepare(request.options, job, () => this.begun(request, job));
  }

  /** Goes on with the run on the disk. */
  async resume(job: Job): Promise<void> {
    await this.prepare({ steps: 0 }, job, () => this.resumed(job));
  }

  async forget(): Promise<void> {
    const store = createRunStore(await openOpfs());
    const release = await takeLock();
    if (!release) throw new UserError(tuneText.failed.otherWindow);
    await store.forget().finally(release);
    await this.tellStored();
  }

  pause = () => this.current?.pause();
  stop = () => this.current?.stop();
  goOn = () => this.current?.go();

  /** Makes the trained network one of the models and chooses it. */
  async use(): Promise<void> {
    if (!this.current) return;
    await this.session.addModel(await this.current.file());
    this.current.markUsed();
  }

  async export(): Promise<void> {
    if (!this.current) return;
    const { name, bytes } = await this.current.file();
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' });
    this.post({ type: 'download', name, blob });
  }

  async close(): Promise<void> {
    this.current?.close();
    this.current = null;
    this.post({ type: 'tuneRun', run: null });
    await this.tellStored();
  }

  private async prepare(options: { steps: number }, job: Job, make: () => Promise<PreparedRun>): Promise<void> {
    await this.close();
    this.post({ type: 'tuneRun', run: preparing(options) });
    try {
      const run = await make();
      this.current = new FineTune(run, this.session.ground, this.turn);
      await this.current.present();
      proceed(job);
    } catch (error) {
      await this.close();
      if (job.cancelled) throw error;
      this.post({ type: 'tuneProblem', text: sentence(tuneText.failed.beginning, error) });
      return;
    }
    // Not awaited: it goes on while other things are asked for.
    void this.current.go();
  }

  private async begun(request: TuneRequest, job: Job): Promise<PreparedRun> {
    const { modality, source, start, options } = request;
    const { stage } = this.session;
    checkOptions(options);
    stage.busy('weights');
    const beginning = await this.beginning(start, options.seed);
    const { scans, notices } = await gather({
      source, modality, rule: beginning.rules[modality] ?? null, study: stage.study, job,
      busy: (state, known) => stage.busy(state, known),
    });
    const pairs = source.kind === 'pairs' || source.kind === 'openedPair';
    const lesson: Lesson = { modality, degradation: pairs ? null : request.degradation, seed: options.seed, scans };
    const card = tunedCard({ start, ...beginning, modality, degradation: lesson.degradation }, STRENGTH[modality].standard);
    const { store, release, notice } = await openStore();
    try {
      const common = await this.common(lesson, job);
      const { data, size } = common;
      const metadata = tunedMetadata(card, { start, origin: beginning.origin }, options, 0, size);
      const { createTrainer } = await import('../../training/trainer.ts');
      const { stateDict, config, origin } = beginning;
      const trainer = createTrainer({ stateDict, config, options, data, metadata });
      const run: PreparedRun = {
        ...common, trainer, start, origin, card, release, store, stored: null,
        title: tuneText.title(card.name, scans.map(({ reference }) => reference.name)),
        checkpointEvery: request.checkpointEvery, validateEvery: request.validateEvery,
        before: null,
        losses: [], validations: [],
        notices: [...notices, ...common.notices, ...(notice ? [notice] : [])],
      };
      await store?.begin(writeLesson(lesson)).catch((error: unknown) => {
        run.store = null;
        run.notices.push(tuneText.notices.noRoom(error, null));
      });
      return run;
    } catch (error) {
      release();
      throw error;
    }
  }

  private async resumed(job: Job): Promise<PreparedRun> {
    const { store, release, notice } = await openStore();
    if (!store) throw new UserError(notice ?? tuneText.failed.otherWindow);
    try {
      this.session.stage.busy('scans');
      const { record, checkpoint, images } = await store.open();
      const [{ resumeTrainer }, { readCheckpoint }] =
        await Promise.all([import('../../training/trainer.ts'), import('../../training/checkpoint.ts')]);
      const { lesson, rules } = whole(() => ({
        lesson: readLesson(images), rules: fileCardOf(readCheckpoint(checkpoint).metadata)?.normalisation ?? {},
      }));
      const common = await this.common(lesson, job);
      const { title, start, origin, checkpointEvery, validateEvery, history } = record;
      const { modality, degradation } = lesson;
      const card = tunedCard({ start, origin, rules, modality, degradation }, STRENGTH[modality].standard);
      return {
        ...common, trainer: resumeTrainer(checkpoint, common.data), title, start, origin, card, release, store,
        stored: await store.about(), checkpointEvery, validateEvery,
        before: record.before,
        losses: [...history.losses], validations: [...history.validations], notices: [...record.notices],
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** What a run that begins and one that goes on make of the images and the device. */
  private async common(lesson: Lesson, job: Job) {
    const { stage, ground } = this.session;
    stage.busy('preparing');
    const device = await startTrainingDevice(await ground.machine());
    proceed(job);
    const { data, empty } = imagesOf(lesson, device.validation);
    const { training, validation } = data;
    if (training.length === 0) throw new UserError(tuneText.failed.nothing(lesson.modality));
    const shown = middle(validation.length > 0 ? validation : training);
    const scan = lesson.scans.find(({ reference }) => shown.name.startsWith(`${reference.name}, `)) ?? lesson.scans[0]!;
    const notices = [
      empty > 0 ? tuneText.notices.empty(empty) : null,
      validation.length === 0 ? tuneText.notices.noneHeldBack : null,
    ].filter((notice) => notice !== null);
    return {
      data, device: device.says, notices, shown,
      size: { slices: training.length, scans: lesson.scans.length },
      paint: slicePainter(scan.reference, lesson.modality, shown.reference, scan.range),
    };
  }

  private async beginning(start: TuneStart, seed: number): Promise<Beginning> {
    const { chosen } = await this.session.ground.models;
    if (start === 'model') {
      if (!chosen) throw new UserError(tuneText.failed.noModel);
      return { ...await chosen.parameters(), origin: chosen.name, rules: chosen.card?.normalisation ?? {} };
    }
    const { initialStateDict } = await import('../../weights/initialWeights.ts');
    const config = start === 'light' ? LIGHT : TINY;
    return { stateDict: initialStateDict(config, seed), config, origin: tuneText.scratch, rules: SCRATCH_RULES };
  }

  private async configOf(start: TuneStart): Promise<Config> {
    if (start !== 'model') return start === 'light' ? LIGHT : TINY;
    const { chosen } = await this.session.ground.models;
    return chosen ? (await chosen.weights()).config : LIGHT;
  }

  private get post() {
    return this.session.ground.post;
  }
}

/** What lies on the disk may have been changed by anybody. */
function whole<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new UserError(tuneText.failed.damaged(error));
  }
}

const middle = (images: readonly TrainingImage[]): TrainingImage => images[Math.floor(images.length / 2)]!;

interface OpenStore {
  readonly store: RunStore | null;
  release(): void;
  /** Why there is no store. */
  readonly notice: string | null;
}

/** The disk, for this window alone. */
async function openStore(): Promise<OpenStore> {
  const nothing = () => undefined;
  try {
    const folder = await openOpfs();
    const release = await takeLock();
    if (release) return { store: createRunStore(folder), release, notice: null };
    return { store: null, release: nothing, notice: tuneText.failed.otherWindow };
  } catch (error) {
    return { store: null, release: nothing, notice: tuneText.notices.noStorage(error) };
  }
}

/** Two windows would write over each other's checkpoints. null: another one has the lock. */
function takeLock(): Promise<(() => void) | null> {
  return new Promise((taken) => {
    navigator.locks
      .request('training', { signal: AbortSignal.timeout(LOCK_WAIT) }, () => new Promise<void>(taken))
      .catch(() => taken(null));
  });
}

