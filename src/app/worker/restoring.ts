import type { Normalisation } from '../../image/normalise.ts';
import { text } from '../text.ts';
import { figure } from '../view/describe.ts';
import { ACQUIRED } from '../view/place.ts';
import { UserError } from './jobs.ts';
import type { Job } from './jobs.ts';
import { metricsOf, normalisationOf, scoresOf } from './measure.ts';
import { prepareFor, restoreSlice } from './restorer.ts';
import type { Restored } from './restorer.ts';
import type { Stage } from './stage.ts';
import { inputSlice, keepRestored } from './study.ts';
import type { Study } from './study.ts';

type Changed = Pick<Restored, 'clamped' | 'nonFinite' | 'tiles'>;

/** Cuts are drawn again this often (ms) while a volume is restored. */
const REDRAW_EVERY = 400;

/** Restores the slice on the screen: shown as soon as it is computed, measured and kept when it is read back. */
export async function restoreShown(stage: Stage, job: Job, tellModels: () => Promise<void>): Promise<void> {
  const { study, index } = stage;
  if (!study) return;
  // The page does not ask for it, but the plane may have changed on the way.
  if (stage.place.across !== ACQUIRED) return;
  const { restore, rule, prepare, half } = await restoring(stage, study, tellModels);
  await prepare();
  if (job.cancelled) return;
  stage.busy('restoring');
  const restored = await restore(index);
  if (job.cancelled || stage.study !== study) return;
  if (stage.shows(study, index)) await showFromGpu(stage, study, restored, rule, half);
  keepRestored(study, index, await restored.native(), half);
  if (stage.study !== study) return;
  tellChanges(stage, 'slice', restored, rule);
  await stage.refresh(restored.buffer !== null && stage.shows(study, index));
}

/** Restores what is not restored yet, from the first slice to the last; cancelling keeps what is done. */
export async function restoreVolume(stage: Stage, job: Job, tellModels: () => Promise<void>): Promise<void> {
  const { study } = stage;
  if (!study) return;
  const { restore, rule, prepare, overlaps, half } = await restoring(stage, study, tellModels);
  await prepare();
  const open = Array.from({ length: study.volume.slices }, (_, i) => i).filter((i) => !study.restored.has(i));
  const before = study.volume.slices - open.length;
  const changes = { clamped: 0, nonFinite: 0, tiles: 1 };
  const began = performance.now();
  let drawn = began;
  // While one slice comes back from the GPU the next is on its way there.
  let following: Promise<Restored> | null = null;
  for (const [done, index] of open.entries()) {
    // Networks on the processor never leave the event loop by themselves: a Cancel must be heard between slices.
    await new Promise((resolve) => setTimeout(resolve));
    if (job.cancelled || stage.study !== study) break;
    const left = done > 0 ? ((performance.now() - began) / done) * (open.length - done) : null;
    stage.busy('volume', { done: before + done, total: study.volume.slices, left });
    const restored: Restored = await (following ?? restore(index));
    const next = open[done + 1];
    following = overlaps && next !== undefined ? restore(next) : null;
    following?.catch(() => undefined); // heard when its turn comes
    keepRestored(study, index, await restored.native(), half);
    changes.clamped += restored.clamped;
    changes.nonFinite += restored.nonFinite;
    changes.tiles = restored.tiles;
    scoresOf(study, index);
    if (stage.study !== study) continue;
    const redraws = stage.place.across !== ACQUIRED && performance.now() - drawn > REDRAW_EVERY;
    if (redraws) drawn = performance.now();
    if (redraws || stage.shows(study, index)) await stage.refresh();
    else stage.postSlice();
  }
  if (stage.study === study) await stage.refresh();
  if (job.cancelled) stage.notice(text.notices.cancelled(study.restored.size));
  else if (stage.study === study) tellChanges(stage, 'volume', changes, rule);
}

/** The chosen network, ready for the study's slices. */
async function restoring(stage: Stage, study: Study, tellModels: () => Promise<void>) {
  const models = await stage.ground.models;
  if (!models.chosen) throw new UserError(text.model.none);
  stage.busy('weights');
  const network = await models.network(await stage.ground.machine(), () => stage.busy('precision'));
  await tellModels();
  const rule = normalisationOf(study);
  return {
    rule,
    overlaps: network.overlaps,
    half: network.half,
    prepare: () => {
      stage.busy('compiling');
      return prepareFor(network, study.volume);
    },
    restore: (index: number) => restoreSlice(network, inputSlice(study, index), rule),
  };
}

async function showFromGpu(
  stage: Stage, study: Study, restored: Restored, rule: Normalisation, half: boolean,
): Promise<void> {
  const { buffer, stride } = restored;
  const { gpuDisplay } = await stage.ground.machine();
  if (!gpuDisplay || !buffer) return;
  const { columns, rows } = study.volume;
  gpuDisplay.copy('restored', buffer, { columns, rows, stride, scale: 1 / rule.scale, offset: rule.offset });
  gpuDisplay.draw(stage.scene());
  const metrics = study.scores.has(stage.index) ? metricsOf(study, stage.index) : null;
  const restoredCount = study.restored.size + (study.restored.has(stage.index) ? 0 : 1);
  stage.postState({ restored: 1, restoredCount, half, metrics });
}

/** Counts what the normalisation could not keep, and says where the network did not see the whole slice. */
function tellChanges(stage: Stage, where: 'slice' | 'volume', changed: Changed, rule: Normalisation): void {
  const [low, high] = [rule.offset, rule.offset + 1 / rule.scale].map(figure) as [string, string];
  stage.notice(
    [
      changed.clamped > 0 ? text.notices.clamped(changed.clamped, where, low, high) : '',
      changed.nonFinite > 0 ? text.notices.nonFinite(changed.nonFinite, where, low) : '',
      rule.notice ?? '',
      changed.tiles > 1 ? text.notices.tiles(changed.tiles) : '',
    ].join(' '),
  );
}
