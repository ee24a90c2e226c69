import type { Modality } from '../../formats/volume.ts';
import { cancel, chooseModality, restore, restoreVolume } from '../actions.ts';
import { acquiredPlane, shownSlice, useApp } from '../store.ts';
import { text } from '../text.ts';
import { measured } from '../view/describe.ts';
import { ACQUIRED } from '../view/place.ts';
import { Explained } from './Explained.tsx';
import { WorkWords } from './WorkWords.tsx';

const MODALITIES: readonly Modality[] = ['ct', 'pet', 'mri'];

export function RestorePanel() {
  const image = useApp((state) => state.image);
  const working = useApp((state) => state.work !== null);
  const model = useApp((state) => state.model !== null);
  const cut = useApp((state) => state.place.across !== ACQUIRED);
  if (!image) return null;
  const slices = image.slices * image.times;
  return (
    <Explained title={text.restore.title} sentence={text.restore.sentence} section={text.restore.section}>
      <div className="actions">
        <button type="button" className="button primary" disabled={working || !model || cut} onClick={restore}>
          {text.restore.button}
        </button>
        <button
          type="button"
          className="button"
          disabled={working || !model || slices === 1}
          onClick={restoreVolume}
        >
          {text.restore.volume}
        </button>
        <button type="button" className="button quiet" disabled={!working} onClick={cancel}>
          {text.restore.cancel}
        </button>
      </div>
      <WorkLine slices={slices} />
      <div className="field">
        <label>
          <span>{text.restore.modality}</span>
          <select value={image.modality} onChange={(event) => chooseModality(event.target.value as Modality)}>
            {MODALITIES.map((modality) => (
              <option key={modality} value={modality}>
                {text.modalities[modality]}
              </option>
            ))}
          </select>
        </label>
        {image.modalityGuessed && <small>{text.restore.guessed}</small>}
      </div>
    </Explained>
  );
}

/** What is going on, in one line that is always there. */
function WorkLine({ slices }: { slices: number }) {
  const work = useApp((state) => state.work);
  const count = useApp((state) => state.slice?.restoredCount ?? 0);
  const metrics = useApp((state) => shownSlice(state)?.metrics ?? null);
  const half = useApp((state) => shownSlice(state)?.half ?? false);
  const cut = useApp((state) => state.place.across !== ACQUIRED);
  const plane = useApp(acquiredPlane);
  if (!work) {
    return (
      <p className="work">
        {cut ? text.restore.onCuts(plane, count, slices) : text.restore.ready(count, slices)}
        {half && <span className="work-half">{text.restore.half}</span>}
        {metrics?.restored && (
          <span className="work-gain">
            {text.restore.gained(measured(metrics.input).psnr, measured(metrics.restored).psnr)}
          </span>
        )}
      </p>
    );
  }
  return (
    <p className="work work-busy">
      <WorkWords work={work} />
    </p>
  );
}
