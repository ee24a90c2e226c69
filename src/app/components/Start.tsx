import { cancel, open, openSample, showDialog } from '../actions.ts';
import { tuneText } from '../fineTuneText.ts';
import type { SampleCard } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { FilesOrFolder } from './FilesOrFolder.tsx';
import { StoredRunLine } from './StoredRun.tsx';
import { WorkWords } from './WorkWords.tsx';

/** What a visitor sees before anything is open. */
export function Start() {
  const samples = useApp((state) => state.samples);
  const busy = useApp((state) => state.work !== null);
  return (
    <section className="start">
      <div className="start-words">
        <h2>{text.start.headline}</h2>
        <p>{text.start.sentence}</p>
      </div>
      <DropZone />
      <div className="start-samples">
        <h3>{text.start.samples}</h3>
        <ul>
          {samples.map((sample) => (
            <li key={sample.id}>
              <Sample sample={sample} busy={busy} />
            </li>
          ))}
        </ul>
      </div>
      <FineTuneEntry />
    </section>
  );
}

/** Scans to learn from can be chosen before an image is open, and a run can be gone on with. */
function FineTuneEntry() {
  const run = useApp((state) => state.tune.run !== null);
  const stored = useApp((state) => state.tune.stored !== null);
  return (
    <div className="start-tune">
      {stored && !run ? <StoredRunLine /> : <p>{tuneText.sentence}</p>}
      <button type="button" className="button" onClick={() => showDialog('tune')}>
        {run ? tuneText.open : tuneText.name}
      </button>
    </div>
  );
}

function DropZone() {
  const work = useApp((state) => state.work);
  if (work) {
    return (
      <div className="dropzone">
        <p>
          <strong>
            <WorkWords work={work} />
          </strong>
          <span>{text.start.kinds}</span>
        </p>
        <div className="dropzone-buttons">
          <button type="button" className="button" onClick={cancel}>
            {text.restore.cancel}
          </button>
        </div>
      </div>
    );
  }
  return (
    <div className="dropzone">
      <p>
        <strong>{text.start.drop}</strong>
        <span>{text.start.kinds}</span>
      </p>
      <FilesOrFolder className="dropzone-buttons" onFiles={(files) => open(files, 'input')} />
    </div>
  );
}

function Sample({ sample, busy }: { sample: SampleCard; busy: boolean }) {
  const thumbnail = useApp((state) => state.thumbnails[sample.id]);
  return (
    <button type="button" className="sample" disabled={busy} onClick={() => openSample(sample.id)}>
      <span className="sample-picture">{thumbnail && <img src={thumbnail} alt="" />}</span>
      <strong>{sample.title}</strong>
      <small>{sample.attribution}</small>
    </button>
  );
}
