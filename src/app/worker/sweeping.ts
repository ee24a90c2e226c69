import { sweep, sweepCsv } from '../../analysis/sweep.ts';
import type { SweepModel, SweepPoint } from '../../analysis/sweep.ts';
import type { Modality } from '../../formats/volume.ts';
import { STRENGTH, optionsFor } from '../../image/degrade.ts';
import { normalisationFor } from '../../image/normalise.ts';
import { sliceOf } from '../../image/slice.ts';
import type { SweepState, SweepToWorker } from '../sweep.ts';
import { sweepText } from '../sweepText.ts';
import { UserError, proceed, sentence } from './jobs.ts';
import type { Job } from './jobs.ts';
import { rangeOf } from './measure.ts';
import type { Model } from './models.ts';
import { prepareFor, restoreSlice } from './restorer.ts';
import type { Network } from './restorer.ts';
import { plainName } from './save.ts';
import type { Session } from './session.ts';
import type { Study } from './study.ts';

/**
 * Degrades the slice on the screen (the reference's, where there is one) by each strength, restores it with each model,
 * and says PSNR, SSIM and RMSE as they come. Cancelling keeps what was measured.
 */
export async function sweepStrengths(session: Session, { strengths, models }: SweepToWorker, job: Job): Promise<void> {
  const { stage, ground } = session;
  const { study, index } = stage;
  if (!study) return;
  const { modality } = study;
  const reference = (study.degradation === null ? study.reference?.volume : undefined) ?? study.volume;
  const points: SweepPoint[] = [];
  let state: SweepState = {
    phase: 'running', title: sweepText.title(reference.name, index), axis: STRENGTH[modality].name, points,
    done: 0, total: strengths.length * (models.length + 1), problem: null, csv: null,
  };
  const say = (change: Partial<SweepState>) => {
    state = { ...state, ...change, points: [...points] };
    ground.post({ type: 'sweep', sweep: state });
  };
  const networks: Network[] = [];
  try {
    say({});
    const machine = await ground.machine();
    const known = (await ground.models).all.filter(({ id }) => models.includes(id));
    if (known.length === 0) throw new UserError(sweepText.noModel);
    const runners: SweepModel[] = [];
    for (const model of known) {
      stage.busy('weights');
      const options = await ground.precision.optionsFor(machine, model, () => stage.busy('precision'));
      const network = await machine.network(await model.weights(), options);
      networks.push(network);
      const restore = await runnerOf(model, network, study, modality, job);
      runners.push({ name: model.name, restore });
    }
    const found = sweep({
      task: modality, slices: [sliceOf(reference, index)], strengths, models: runners, range: rangeOf(study),
      seed: index, ...optionsFor(reference),
      progress: (done, total) => {
        stage.busy('sweep', { done, total, left: null });
        say({ done, total });
      },
    });
    for await (const point of found) {
      points.push(point);
      say({});
      // A Cancel is heard in between.
      await new Promise((resolve) => setTimeout(resolve));
      proceed(job);
    }
  } catch (error) {
    say({ problem: job.cancelled ? sweepText.cancelled : sentence(sweepText.name, error) });
  } finally {
    for (const network of networks) network.dispose();
    const name = sweepText.file(plainName(reference.name), modality);
    say({ phase: 'ended', csv: points.length > 0 ? { name, text: sweepCsv(points) } : null });
  }
}

/** A restoration in native units by the model's normalisation. */
async function runnerOf(
  model: Model, network: Network, { volume }: Study, modality: Modality, job: Job,
): Promise<SweepModel['restore']> {
  const rule = normalisationFor(modality, volume, model.card?.normalisation[modality] ?? null);
  await prepareFor(network, volume);
  return async (input) => {
    await new Promise((resolve) => setTimeout(resolve));
    proceed(job);
    return (await restoreSlice(network, input, rule)).native();
  };
}
