import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';
import { Dialog } from './Dialog.tsx';
import { FineTuneForm } from './FineTuneForm.tsx';
import { FineTuneRun } from './FineTuneRun.tsx';
import { StoredRunLine } from './StoredRun.tsx';

/** What a run is to be, and once there is one, how it goes. Closing it leaves the run alone. */
export function FineTuneDialog() {
  const running = useApp((state) => state.tune.run !== null);
  // What failed elsewhere would be told behind this dialog.
  const problem = useApp((state) => state.tune.problem ?? state.alert);
  return (
    <Dialog title={tuneText.name} wide>
      {!running && <p className="dialog-says">{tuneText.says}</p>}
      {problem && (
        <p role="alert" className="dialog-problem">
          {problem}
        </p>
      )}
      {running && <FineTuneRun />}
      {/* Out of sight it keeps what was chosen, for a run that did not come about. */}
      <div hidden={running}>
        <StoredRunLine />
        <FineTuneForm />
      </div>
    </Dialog>
  );
}
