import { showDialog } from '../actions.ts';
import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Explained } from './Explained.tsx';
import { StoredRunLine } from './StoredRun.tsx';

/** The way to fine-tuning, and how far it is. */
export function FineTunePanel() {
  const run = useApp((state) => state.tune.run);
  return (
    <Explained title={tuneText.name} sentence={tuneText.sentence}>
      {run ? <Progress /> : <StoredRunLine />}
      <div className="actions">
        <button type="button" className="button" onClick={() => showDialog('tune')}>
          {run ? tuneText.open : tuneText.name}
        </button>
      </div>
    </Explained>
  );
}

/** One line that is there while a run is. */
function Progress() {
  const run = useApp((state) => state.tune.run);
  const left = useApp((state) => state.tune.left);
  const step = useApp((state) => state.tune.losses.at(-1)?.step ?? 0);
  if (!run) return null;
  const { phase, steps } = run;
  const parts = [
    phase === 'running' ? null : tuneText.run.phases[phase],
    phase === 'preparing' ? null : tuneText.run.step(Math.max(step, run.step), steps),
    phase === 'running' && left !== null ? text.left(left) : null,
  ];
  return <p className="work">{parts.filter(Boolean).join(' · ')}</p>;
}
