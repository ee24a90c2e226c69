import { cancel } from '../actions.ts';
import { chooseTrained, closeRun, exportTrained, goOn, pause, stop } from '../fineTuneActions.ts';
import { tuneText } from '../fineTuneText.ts';
import type { TuneRun } from '../fineTune.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { FineTuneCharts } from './FineTuneCharts.tsx';
import { FineTuneFigures } from './FineTuneFigures.tsx';
import { FineTunePictures } from './FineTunePictures.tsx';
import { WorkWords } from './WorkWords.tsx';

/** A run: how far it is, how well it does, and what can be done with it. */
export function FineTuneRun() {
  const run = useApp((state) => state.tune.run);
  if (!run) return null;
  if (run.phase === 'preparing') return <Preparing />;
  return (
    <div className="tune-run">
      <Head run={run} />
      {run.problem && (
        <p role="alert" className="dialog-problem">
          {run.problem}
        </p>
      )}
      <FineTuneCharts />
      <FineTunePictures />
      <FineTuneFigures />
      {run.notices.length > 0 && (
        <ul className="tune-notices">
          {run.notices.map((notice) => (
            <li key={notice}>{notice}</li>
          ))}
        </ul>
      )}
      <Buttons run={run} />
    </div>
  );
}

function Preparing() {
  const work = useApp((state) => state.work);
  return (
    <div className="tune-preparing">
      <p role="status">{work ? <WorkWords work={work} /> : tuneText.run.phases.preparing}</p>
      <button type="button" className="button" onClick={cancel}>
        {tuneText.run.cancel}
      </button>
    </div>
  );
}

function Head({ run }: { run: TuneRun }) {
  const step = useApp((state) => state.tune.losses.at(-1)?.step ?? run.step);
  const left = useApp((state) => state.tune.left);
  const { phase, steps, title, device, images, stored } = run;
  const done = phase === 'ended' && step === steps;
  const share = steps === 0 ? 0 : step / steps;
  const state =
    phase === 'running' && left !== null ? text.left(left)
    : done ? tuneText.run.done
    : tuneText.run.phases[phase];
  return (
    <div className="tune-head">
      <p>
        <strong>{title}</strong>
        <small>
          {device}. {tuneText.run.learns(images.training, images.validation)}
        </small>
      </p>
      <div
        role="progressbar"
        aria-label={tuneText.run.progress}
        aria-valuemin={0}
        aria-valuemax={steps}
        aria-valuenow={step}
        aria-valuetext={tuneText.run.step(step, steps)}
        className="tune-bar"
      >
        <i style={{ transform: `scaleX(${share})` }} />
      </div>
      <p className="tune-status">
        <span>{tuneText.run.step(step, steps)}</span>
        <span>{state}</span>
        <small>{stored ? tuneText.stored.last(stored.step, stored.bytes) : tuneText.stored.none}</small>
      </p>
      {phase === 'running' && <small>{tuneText.run.meanwhile}</small>}
    </div>
  );
}

function Buttons({ run: { phase, used, usable } }: { run: TuneRun }) {
  const working = useApp((state) => state.work !== null);
  const resting = phase === 'paused' || phase === 'ended';
  return (
    <div className="actions save-actions">
      {phase === 'ended' ? (
        <button type="button" className="button quiet" disabled={working} onClick={closeRun}>
          {tuneText.run.another}
        </button>
      ) : (
        <>
          <button type="button" className="button quiet" disabled={phase === 'pausing'} onClick={stop}>
            {tuneText.run.stop}
          </button>
          {phase === 'paused' ? (
            <button type="button" className="button" onClick={goOn}>
              {tuneText.run.goOn}
            </button>
          ) : (
            <button type="button" className="button" disabled={phase === 'pausing'} onClick={pause}>
              {tuneText.run.pause}
            </button>
          )}
        </>
      )}
      <button type="button" className="button" disabled={!resting || !usable || working} onClick={exportTrained}>
        {tuneText.run.export}
      </button>
      <button
        type="button"
        className="button primary"
        disabled={!resting || !usable || used || working}
        onClick={chooseTrained}
      >
        {used ? tuneText.run.used : tuneText.run.use}
      </button>
    </div>
  );
}
