import type { Modality, Volume } from '../../formats/volume.ts';
import { normalisationFor } from '../../image/normalise.ts';
import type { Normalisation } from '../../image/normalise.ts';
import type { Slice } from '../../image/slice.ts';
import type { CanvasSize, FromWorker, NamedFile, Role, ViewSettings, Work } from '../protocol.ts';
import { text } from '../text.ts';
import { figure } from '../view/describe.ts';
import type { Source } from '../view/panes.ts';
import type { Machine } from './device.ts';
import type { Scene } from './display.ts';
import { bytesOf, openFiles } from './files.ts';
import { UserError } from './jobs.ts';
import type { Job } from './jobs.ts';
import { evaluationOf, metricsOf, normalisationOf, scoresOf } from './measure.ts';
import type { Models } from './models.ts';
import { paddedSize, restoreSlice } from './restorer.ts';
import type { Restored } from './restorer.ts';
import type { Sample } from './samples.ts';
import { savePng, saveNifti, storedAs } from './save.ts';
import {
  geometryOf, imageState, inputIsReady, inputSlice, newStudy, nothingDone, referenceSlice, referenceState, sizeOf,
} from './study.ts';
import type { Study } from './study.ts';

/** The scroll must rest this long (ms) before a slice is measured. */
const MEASURE_AFTER = 80;

/** What the session stands on; `machine` changes where a device was lost. */
export interface Ground {
  readonly post: (message: FromWorker) => void;
  readonly machine: () => Promise<Machine>;
  readonly models: Promise<Models>;
}

type Changed = Pick<Restored, 'clamped' | 'nonFinite'>;

/** One visit: the opened image, its slice on the screen, and everything that is done to them. */
export class Session {
  private readonly ground: Ground;
  private study: Study | null = null;
  private index = 0;
  private view: ViewSettings;
  private size: CanvasSize;
  private measuring: ReturnType<typeof setTimeout> | undefined;

  constructor(ground: Ground, view: ViewSettings, size: CanvasSize) {
    this.ground = ground;
    this.view = view;
    this.size = size;
  }

  /** A drawing of what there is, with new view settings or size. */
  async show(change: { view?: ViewSettings; size?: CanvasSize }): Promise<void> {
    this.view = change.view ?? this.view;
    this.size = change.size ?? this.size;
    (await this.ground.machine()).display.draw(this.scene());
  }

  async open(files: NamedFile[], role: Role): Promise<void> {
    if (role === 'reference' && !this.study) throw new UserError(text.failed.referenceFirst);
    this.busy('loading');
    const volume = await openFiles(files);
    if (role === 'reference') await this.setReference(volume, 'file');
    else await this.begin(newStudy(volume));
    this.notice([text.notices.opened(volume.name, role), ...volume.notices].join(' '));
  }

  async openSample(sample: Sample, job: Job): Promise<void> {
    this.busy('loading');
    const { input, reference } = await sample.open();
    await this.begin({ ...newStudy(input), reference: { volume: reference, kind: 'sample' } });
    if (!job.cancelled) await this.restore(job);
  }

  async setModality(modality: Modality): Promise<void> {
    if (!this.study) return;
    const study = { ...this.study, modality, normalisation: null, degradation: null, ...nothingDone() };
    await this.begin(study, this.index);
  }

  /** A strength simulates the degradation; null takes the opened image as the input again. */
  async degrade(strength: number | null): Promise<void> {
    if (!this.study) return;
    this.study = { ...this.study, degradation: strength, ...nothingDone() };
    this.ground.post({ type: 'reference', reference: referenceState(this.study) });
    await this.refresh();
  }

  async goTo(index: number): Promise<void> {
    this.index = index;
    if (this.study) await this.refresh();
  }

  async chooseModel(id: string): Promise<void> {
    const models = await this.ground.models;
    models.chosen = models.all.find((model) => model.id === id) ?? models.chosen;
    await this.forgetModel();
  }

  async loadWeights(file: NamedFile): Promise<void> {
    this.busy('weights');
    const models = await this.ground.models;
    const [bytes] = await bytesOf([file]);
    if (!bytes) return;
    models.chosen = models.add(bytes);
    await this.forgetModel();
  }

  /** Restores the slice on the screen: shown as soon as it is computed, measured and kept when it is read back. */
  async restore(job: Job): Promise<void> {
    const { study, index } = this;
    if (!study) return;
    const { restore, rule, prepare } = await this.restoring(study);
    await prepare();
    if (job.cancelled) return;
    this.busy('restoring');
    const restored = await restore(index);
    if (job.cancelled || this.study !== study) return;
    if (this.index === index) await this.showFromGpu(restored, rule);
    study.restored.set(index, await restored.native());
    if (this.study !== study) return;
    this.tellChanges('slice', restored, rule);
    if (this.index === index) await this.refresh(restored.buffer !== null);
  }

  /** Restores what is not restored yet, from the first slice to the last; cancelling keeps what is done. */
  async restoreVolume(job: Job): Promise<void> {
    const { study } = this;
    if (!study) return;
    const { restore, rule, prepare } = await this.restoring(study);
    await prepare();
    const open = Array.from({ length: study.volume.slices }, (_, i) => i).filter((i) => !study.restored.has(i));
    const before = study.volume.slices - open.length;
    const changes = { clamped: 0, nonFinite: 0 };
    const began = performance.now();
    for (const [done, index] of open.entries()) {
      // Networks on the processor never leave the event loop by themselves: a Cancel must be heard between slices.
      await new Promise((resolve) => setTimeout(resolve));
      if (job.cancelled || this.study !== study) break;
      const left = done > 0 ? ((performance.now() - began) / done) * (open.length - done) : null;
      this.busy('volume', { done: before + done, total: study.volume.slices, left });
      const restored = await restore(index);
      study.restored.set(index, await restored.native());
      changes.clamped += restored.clamped;
      changes.nonFinite += restored.nonFinite;
      scoresOf(study, index);
      if (this.study === study) await (this.index === index ? this.refresh() : this.postSlice());
    }
    if (this.study === study) await this.postSlice();
    if (job.cancelled) this.notice(text.notices.cancelled(study.restored.size));
    else if (this.study === study) this.tellChanges('volume', changes, rule);
  }

  async save(what: 'nifti' | 'png'): Promise<void> {
    const { study, index } = this;
    if (!study) return;
    this.busy('saving');
    const saved =
      what === 'nifti' ? saveNifti(study) : await savePng(study, this.scene(), index, this.sources(study, index));
    this.ground.post({ type: 'saved', ...saved });
    this.notice(text.notices.saved(saved.name));
  }

  /** Draws everything again, on a new device where the old one was lost. */
  async refresh(keepRestored = false): Promise<void> {
    const { study, index } = this;
    const { display } = await this.ground.machine();
    if (study) {
      if (!inputIsReady(study, index)) this.busy('degrading');
      const sources = this.sources(study, index);
      for (const source of ['input', 'restored', 'reference'] as const) {
        if (source === 'restored' && keepRestored) continue;
        const slice = sources.get(source) ?? null;
        display.set(source, slice && finite(slice), slice && storedAs(slice));
      }
    }
    display.draw(this.scene());
    await this.postSlice();
  }

  private async begin(opened: Study, index = Math.floor(opened.volume.slices / 2)): Promise<void> {
    const study = { ...opened, normalisation: await this.ruleFor(opened) };
    this.study = study;
    this.index = index;
    this.ground.post({ type: 'image', image: imageState(study), index, fresh: true });
    this.ground.post({ type: 'reference', reference: referenceState(study) });
    await this.refresh();
  }

  private async setReference(volume: Volume, kind: 'file'): Promise<void> {
    const { study } = this;
    if (!study) return;
    if (sizeOf(volume) !== sizeOf(study.volume)) {
      throw new UserError(text.failed.shape(sizeOf(volume), sizeOf(study.volume)));
    }
    // Results of a simulated input end with it; results of the opened image stay.
    const kept = study.degradation === null ? { scores: new Map() } : nothingDone();
    this.study = { ...study, reference: { volume, kind }, degradation: null, ...kept };
    this.ground.post({ type: 'reference', reference: referenceState(this.study) });
    await this.refresh();
  }

  /** The chosen model's map to [0, 1] for a study; the paper's without a model. */
  private async ruleFor({ modality, volume }: Study): Promise<Normalisation> {
    const rules = (await this.ground.models.catch(() => null))?.chosen?.card?.normalisation;
    return normalisationFor(modality, volume, rules?.[modality] ?? null);
  }

  private async forgetModel(): Promise<void> {
    await this.postModels();
    if (!this.study) return;
    const { degraded } = this.study;
    this.study = { ...this.study, normalisation: await this.ruleFor(this.study), ...nothingDone(), degraded };
    await this.refresh();
  }

  async postModels(): Promise<void> {
    const { all, chosen } = await this.ground.models;
    this.ground.post({ type: 'models', models: all.map(({ state }) => state), chosen: chosen?.id ?? null });
  }

  /** The chosen network, ready for the study's slices. */
  private async restoring(study: Study) {
    const models = await this.ground.models;
    if (!models.chosen) throw new UserError(text.model.none);
    this.busy('weights');
    const network = await models.network(await this.ground.machine());
    await this.postModels();
    const rule = normalisationOf(study);
    return {
      rule,
      prepare: () => {
        this.busy('compiling');
        const { height, width } = paddedSize(study.volume.columns, study.volume.rows);
        return network.prepare(height, width);
      },
      restore: (index: number) => restoreSlice(network, inputSlice(study, index), rule),
    };
  }

  private async showFromGpu({ buffer, stride }: Restored, rule: { scale: number; offset: number }): Promise<void> {
    const { gpuDisplay } = await this.ground.machine();
    const volume = this.study?.volume;
    if (!gpuDisplay || !buffer || !volume) return;
    const { columns, rows } = volume;
    gpuDisplay.copy('restored', buffer, { columns, rows, stride, scale: 1 / rule.scale, offset: rule.offset });
    gpuDisplay.draw(this.scene());
    const { restored, scores } = this.study!;
    const metrics = scores.has(this.index) ? metricsOf(this.study!, this.index) : null;
    this.ground.post({
      type: 'slice',
      slice: { index: this.index, restored: true, restoredCount: restored.size + 1, metrics },
    });
  }

  private sources(study: Study, index: number): Map<Source, Slice> {
    const all: [Source, Slice | null | undefined][] = [
      ['input', inputSlice(study, index)],
      ['restored', study.restored.get(index)],
      ['reference', referenceSlice(study, index)],
    ];
    return new Map(all.filter((entry): entry is [Source, Slice] => entry[1] != null));
  }

  private scene(): Scene {
    const { study, index, view, size } = this;
    const nothing = { low: 0, high: 1, range: 1 };
    if (!study) return { size, view, slice: null, hasReference: false, evaluation: nothing };
    const reference = referenceSlice(study, index);
    const evaluation =
      view.view === 'ssim' ? evaluationOf(study, reference ?? inputSlice(study, index)) : nothing;
    const slice = geometryOf(study.volume);
    return { size, view, slice, hasReference: reference !== null, evaluation };
  }

  /** Says what is known of the slice at once, and its measures when the scroll rests. */
  private async postSlice(): Promise<void> {
    clearTimeout(this.measuring);
    const { study, index } = this;
    if (!study) return;
    const post = () => {
      const slice = {
        index,
        restored: study.restored.has(index),
        restoredCount: study.restored.size,
        metrics: study.scores.has(index) ? metricsOf(study, index) : null,
      };
      this.ground.post({ type: 'slice', slice });
    };
    post();
    const known = study.scores.get(index);
    if (!referenceSlice(study, index) || (known && (known.restored !== null) === study.restored.has(index))) return;
    this.measuring = setTimeout(() => {
      if (this.study !== study || this.index !== index) return;
      scoresOf(study, index);
      post();
    }, MEASURE_AFTER);
  }

  private busy(state: Work['state'], known: Omit<Work, 'state'> = { done: null, total: null, left: null }): void {
    this.ground.post({ type: 'busy', work: { state, ...known } });
  }

  /** Counts what the normalisation could not keep. */
  private tellChanges(where: 'slice' | 'volume', changed: Changed, rule: Normalisation): void {
    const [low, high] = [rule.offset, rule.offset + 1 / rule.scale].map(figure) as [string, string];
    this.notice(
      [
        changed.clamped > 0 ? text.notices.clamped(changed.clamped, where, low, high) : '',
        changed.nonFinite > 0 ? text.notices.nonFinite(changed.nonFinite, where, low) : '',
        rule.notice ?? '',
      ].join(' '),
    );
  }

  private notice(sentence: string): void {
    const trimmed = sentence.replace(/\s+/g, ' ').trim();
    if (trimmed) this.ground.post({ type: 'notice', text: trimmed });
  }
}

/** The display has no use for voxels that are not numbers: they are drawn as the slice's minimum. */
function finite({ data }: Slice): Float32Array {
  if (data.every(Number.isFinite)) return data;
  let low = Infinity;
  for (const value of data) if (Number.isFinite(value) && value < low) low = value;
  return data.map((value) => (Number.isFinite(value) ? value : low === Infinity ? 0 : low));
}
