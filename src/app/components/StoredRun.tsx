import { forget, resume } from '../fineTuneActions.ts';
import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';

/** The run that lies in the browser's own storage, if there is one: to be gone on with, or to be forgotten. */
export function StoredRunLine() {
  const stored = useApp((state) => state.tune.stored);
  const run = useApp((state) => state.tune.run);
  const working = useApp((state) => state.work !== null);
  if (!stored || run) return null;
  const { title, step, steps, date, bytes } = stored;
  return (
    <section className="stored-run" aria-label={tuneText.stored.title}>
      <p>
        <strong>{tuneText.stored.says(title, step, steps)}</strong>
        <small>
          {tuneText.stored.date(date)} · {tuneText.stored.size(bytes)}
        </small>
      </p>
      <div className="actions">
        <button type="button" className="button" disabled={working} onClick={resume}>
          {step === steps ? tuneText.stored.finished : tuneText.stored.resume}
        </button>
        <button type="button" className="button quiet" disabled={working} onClick={forget}>
          {tuneText.stored.forget}
        </button>
      </div>
    </section>
  );
}
