import { save } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Dialog } from './Dialog.tsx';

export function SaveDialog() {
  const shown = useApp((state) => state.dialog === 'save');
  const image = useApp((state) => state.image);
  const count = useApp((state) => state.slice?.restoredCount ?? 0);
  if (!shown || !image) return null;
  return (
    <Dialog title={text.save.title}>
      <div className="choices">
        <button type="button" className="choice" disabled={count === 0} onClick={() => save('nifti')}>
          <strong>{text.save.nifti}</strong>
          <span>{image.format === 'nifti' ? text.save.niftiSays : text.save.niftiDicom}</span>
          {count === 0 && <span>{text.save.nothing}</span>}
          {count > 0 && count < image.slices && <span>{text.save.partly(count, image.slices)}</span>}
        </button>
        <button type="button" className="choice" onClick={() => save('png')}>
          <strong>{text.save.png}</strong>
          <span>{text.save.pngSays}</span>
        </button>
      </div>
    </Dialog>
  );
}
