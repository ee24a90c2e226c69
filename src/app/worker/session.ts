import type { Modality, NamedBytes } from '../../formats/volume.ts';
import type { Degradation } from '../../image/degrade.ts';
import { normalisationFor } from '../../image/normalise.ts';
import type { Normalisation } from '../../image/normalise.ts';
import type { PrecisionChoice } from '../precision.ts';
import type { CanvasSize, NamedFile, Role, SaveRequest, ViewSettings } from '../protocol.ts';
import { text } from '../text.ts';
import { ACQUIRED } from '../view/place.ts';
import type { Place } from '../view/place.ts';
import { bytesOf } from './files.ts';
import { UserError } from './jobs.ts';
import type { Job } from './jobs.ts';
import { Opening } from './opening.ts';
import type { Opened } from './opening.ts';
import { restoreShown, restoreVolume } from './restoring.ts';
import { prepareFor } from './restorer.ts';
import type { Sample } from './samples.ts';
import { savePicture, saveVolume } from './save.ts';
import { saveSeries } from './saveSeries.ts';
import { Stage } from './stage.ts';
import type { Ground } from './stage.ts';
import { imageState, newStudy, nothingDone, referenceState, sizeOf } from './study.ts';
import type { Study } from './study.ts';

/** One visit: what is opened, restored, compared and saved. */
export class Session {
  readonly stage: Stage;
  readonly ground: Ground;
  private readonly opening: Opening;

  constructor(ground: Ground, view: ViewSettings, size: CanvasSize) {
    this.ground = ground;
    this.stage = new Stage(ground, view, size);
    this.opening = new Opening(ground.post);
  }

  /** Opens the one image among files, or lets the user choose one of several. */
  async open(files: readonly NamedFile[], role: Role, job: Job): Promise<void> {
    if (role === 'reference' && !this.stage.study) throw new UserError(text.failed.referenceFirst);
    this.stage.busy('looking');
    const { finding, images } = await this.opening.find(files, role, job);
    if (images === 1) await this.choose(role, finding, 0, job);
    // The thumbnails are no part of the job: a choice must not wait for them.
    else this.opening.offer(finding).catch(() => undefined);
  }

  previews(finding: number): Promise<void> {
    return this.opening.makePictures(finding);
  }

  /** Opens one of the images that were found; what was open stays until it is read. */
  async choose(role: Role, finding: number, index: number, job: Job): Promise<void> {
    const opened = await this.opening.read(finding, index, job);
    if (role === 'reference') await this.setReference(opened, finding);
    else {
      this.opening.keep('reference', null);
      this.opening.keep('input', finding);
      await this.begin(newStudy(opened.volume, opened.notes), finding);
    }
    this.stage.notice([text.notices.opened(opened.volume.name, role), ...opened.notes].join(' '));
  }

  async openSample(sample: Sample, job: Job): Promise<void> {
    this.stage.busy('loading');
    const { input, reference } = await sample.open();
    this.opening.keep('input', null);
    this.opening.keep('reference', null);
    await this.begin({ ...newStudy(input), reference: { volume: reference, kind: 'sample' } }, null);
    if (!job.cancelled) await this.restore(job);
  }

  async setModality(modality: Modality): Promise<void> {
    const { study, place } = this.stage;
    if (!study) return;
    const changed = { ...study, modality, normalisation: null, degradation: null, ...nothingDone() };
    await this.begin(changed, this.opening.findingOf('input'), place);
  }

  /** Simulates a degradation; null takes the opened image as the input again. */
  async degrade(degradation: Degradation | null): Promise<void> {
    if (!this.stage.study) return;
    this.stage.study = { ...this.stage.study, degradation, ...nothingDone() };
    this.postReference();
    await this.stage.refresh();
  }

  async chooseModel(id: string): Promise<void> {
    const models = await this.ground.models;
    models.chosen = models.all.find((model) => model.id === id) ?? models.chosen;
    await this.forgetModel();
  }

  async loadWeights(file: NamedFile): Promise<void> {
    this.stage.busy('weights');
    await this.addModel(await bytesOf(file));
  }

  /** Makes a weights file the chosen model. */
  async addModel(file: NamedBytes): Promise<void> {
    const models = await this.ground.models;
    models.chosen = await models.add(file);
    await this.forgetModel();
  }

  restore(job: Job): Promise<void> {
    return restoreShown(this.stage, job, () => this.postModels());
  }

  restoreVolume(job: Job): Promise<void> {
    return restoreVolume(this.stage, job, () => this.postModels());
  }

  /** Slices that are restored from now on follow; those that are restored stay. */
  async setPrecision(choice: PrecisionChoice): Promise<void> {
    const { precision } = this.ground;
    precision.choose(choice);
    const [models, machine] = await Promise.all([this.ground.models, this.ground.machine()]);
    try {
      if (!machine.gpu || !models.chosen) return;
      this.stage.busy('weights');
      await precision.optionsFor(machine, models.chosen, () => this.stage.busy('precision'));
    } finally {
      await this.postModels();
    }
  }

  /**
   * Measures what the device and the model can do best, when a slice is restored and nobody waits.
   *
   * @param interrupted asked in between
   */
  async measureAtRest(interrupted: () => boolean): Promise<void> {
    const { stage, ground: { precision } } = this;
    const [models, machine] = await Promise.all([this.ground.models, this.ground.machine()]);
    if (!models.chosen || !stage.study || stage.study.restored.size === 0) return;
    try {
      const measured = await precision.measure(machine, models.chosen, interrupted);
      // The next restoration need not wait for what it now uses.
      if (measured && !interrupted()) await prepareFor(await models.network(machine), stage.study.volume);
    } finally {
      precision.tell(machine, models.chosen);
    }
  }

  async save(request: SaveRequest, job: Job): Promise<void> {
    const { stage } = this;
    const { study, place } = stage;
    if (!study) return;
    stage.busy('saving');
    const model = (await this.ground.models).chosen;
    const saved =
      request.what === 'png' ? await savePicture(study, place, stage.scene(), stage.drawn())
      : request.what === 'dicom' ? await saveSeries(study, request, model, job, (known) => stage.busy('saving', known))
      : await saveVolume(study, request);
    if (saved.blob) this.ground.post({ type: 'download', name: saved.name, blob: saved.blob });
    this.ground.post({ type: 'saved', notices: saved.notices });
    stage.notice([saved.sentence, ...saved.notices].join(' '));
  }

  async postModels(): Promise<void> {
    const { all, chosen } = await this.ground.models;
    this.ground.post({ type: 'models', models: all.map(({ state }) => state), chosen: chosen?.id ?? null });
    // Where there is no machine that is told when one is needed.
    await this.ground.machine().then((machine) => this.ground.precision.tell(machine, chosen), () => undefined);
  }

  private async begin(opened: Study, finding: number | null, place = middleOf(opened)): Promise<void> {
    const study = { ...opened, normalisation: await this.ruleFor(opened) };
    this.stage.study = study;
    this.stage.place = place;
    this.ground.post({ type: 'image', image: imageState(study), place, fresh: true, finding });
    this.postReference();
    await this.stage.refresh();
  }

  private async setReference({ volume }: Opened, finding: number): Promise<void> {
    const { study } = this.stage;
    if (!study) return;
    if (sizeOf(volume) !== sizeOf(study.volume)) {
      throw new UserError(text.failed.shape(sizeOf(volume), sizeOf(study.volume)));
    }
    // Results of a simulated input end with it; results of the opened image stay.
    const kept = study.degradation === null ? { scores: new Map() } : nothingDone();
    this.stage.study = { ...study, reference: { volume, kind: 'file' }, degradation: null, ...kept };
    this.opening.keep('reference', finding);
    this.postReference();
    await this.stage.refresh();
  }

  private postReference(): void {
    const { study } = this.stage;
    const reference = study && referenceState(study);
    const finding = reference?.kind === 'file' ? this.opening.findingOf('reference') : null;
    this.ground.post({ type: 'reference', reference, finding });
  }

  /** The chosen model's map to [0, 1] for a study; the paper's without a model. */
  private async ruleFor({ modality, volume }: Study): Promise<Normalisation> {
    const rules = (await this.ground.models.catch(() => null))?.chosen?.card?.normalisation;
    return normalisationFor(modality, volume, rules?.[modality] ?? null);
  }

  private async forgetModel(): Promise<void> {
    await this.postModels();
    const { study } = this.stage;
    if (!study) return;
    const { degraded } = study;
    this.stage.study = { ...study, normalisation: await this.ruleFor(study), ...nothingDone(), degraded };
    await this.stage.refresh();
  }
}

/** The middle slice of the first time point, and the cuts through its middle. */
function middleOf({ volume: { columns, rows, slices, times } }: Study): Place {
  const half = (count: number) => Math.floor(count / 2);
  return { across: ACQUIRED, voxel: [half(columns), half(rows), half(slices / times)], time: 0 };
}
