import { useState } from 'react';
import { canPickFolder, save, saveToFolder } from '../actions.ts';
import type { ImageState, SaveRequest } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Dialog } from './Dialog.tsx';
import { Profile } from './Profile.tsx';

type Kind = SaveRequest['what'];
const KINDS: readonly Kind[] = ['nifti', 'dicom', 'nrrd', 'metaimage', 'png'];

export function SaveDialog() {
  const shown = useApp((state) => state.dialog === 'save');
  const image = useApp((state) => state.image);
  const count = useApp((state) => state.slice?.restoredCount ?? 0);
  const simulated = useApp((state) => state.reference?.kind === 'degraded');
  if (!shown || !image) return null;
  return (
    <Dialog title={text.save.title}>
      <SaveForm image={image} count={count} simulated={simulated} />
    </Dialog>
  );
}

interface Props {
  readonly image: ImageState;
  /** Restored slices. */
  readonly count: number;
  readonly simulated: boolean;
}

function SaveForm({ image, count, simulated }: Props) {
  const slices = image.slices * image.times;
  const kinds = KINDS.filter((kind) => kind !== 'dicom' || image.series);
  const [kind, setKind] = useState<Kind>(count === 0 ? 'png' : image.series && !simulated ? 'dicom' : 'nifti');
  const refused = (of: Kind) =>
    of === 'png' ? null : count === 0 ? text.save.nothing : of === 'dicom' && simulated ? text.save.simulated : null;
  return (
    <>
      <fieldset className="kinds">
        <legend>{text.save.format}</legend>
        {kinds.map((of) => (
          <label key={of} className="kind">
            <input
              type="radio"
              name="kind"
              checked={of === kind}
              disabled={refused(of) !== null}
              onChange={() => setKind(of)}
            />
            <span>
              <strong>{text.save.kinds[of][0]}</strong>
              <small>{text.save.kinds[of][1]}</small>
              {of === 'dicom' && count > 0 && refused(of) && <small>{refused(of)}</small>}
            </span>
          </label>
        ))}
      </fieldset>
      {count === 0 && <p className="save-note">{text.save.nothing}</p>}
      {kind !== 'png' && kind !== 'dicom' && count > 0 && count < slices && (
        <p className="save-note">{text.save.partly(count, slices)}</p>
      )}
      {kind === 'png' && <Save onSave={() => save({ what: 'png' })} />}
      {kind === 'dicom' && <Series count={count} slices={slices} />}
      {kind !== 'png' && kind !== 'dicom' && <Numbers key={kind} onSave={(type) => save({ what: kind, type })} />}
    </>
  );
}

function Save({ onSave }: { onSave: () => void }) {
  return (
    <div className="actions save-actions">
      <button type="button" className="button primary" onClick={onSave}>
        {text.save.file}
      </button>
    </div>
  );
}

function Numbers({ onSave }: { onSave: (type: 'source' | 'float32') => void }) {
  const [type, setType] = useState<'source' | 'float32'>('source');
  return (
    <>
      <label className="save-field">
        <span>{text.save.numbers}</span>
        <select value={type} onChange={(event) => setType(event.target.value as 'source' | 'float32')}>
          <option value="source">{text.save.source}</option>
          <option value="float32">{text.save.float32}</option>
        </select>
      </label>
      <Save onSave={() => onSave(type)} />
    </>
  );
}

/** A derived DICOM series: several files, into a folder or a zip. */
function Series({ count, slices }: { count: number; slices: number }) {
  const [deidentify, setDeidentify] = useState(false);
  const [everySlice, setEverySlice] = useState(true);
  const options = { deidentify, everySlice };
  return (
    <>
      <p className="save-note">{text.save.derived}</p>
      {count < slices && (
        <Check label={text.save.everySlice} checked={everySlice} onCheck={setEverySlice}>
          {text.save.everySliceSays(count, slices)}
        </Check>
      )}
      <Check label={text.save.deidentify} checked={deidentify} onCheck={setDeidentify}>
        {text.save.deidentifySays}
      </Check>
      <Profile />
      <div className="actions save-actions">
        <button
          type="button"
          className={`button ${canPickFolder() ? '' : 'primary'}`}
          onClick={() => save({ what: 'dicom', ...options, folder: null })}
        >
          {text.save.zip}
        </button>
        {canPickFolder() && (
          <button type="button" className="button primary" onClick={() => void saveToFolder(options)}>
            {text.save.folder}
          </button>
        )}
      </div>
    </>
  );
}

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onCheck: (checked: boolean) => void;
  readonly children: string;
}

function Check({ label, checked, onCheck, children }: CheckProps) {
  return (
    <label className="save-check">
      <input type="checkbox" checked={checked} onChange={(event) => onCheck(event.target.checked)} />
      <span>
        {label} <small>{children}</small>
      </span>
    </label>
  );
}
