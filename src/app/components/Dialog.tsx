import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { showDialog } from '../actions.ts';
import { text } from '../text.ts';

/** A modal dialog that is there while it is rendered. */
export function Dialog({ title, children }: { title: string; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} className="dialog" onClose={() => showDialog(null)}>
      <div className="dialog-head">
        <h2>{title}</h2>
        <button type="button" className="button quiet" onClick={() => dialog.current?.close()}>
          {text.save.close}
        </button>
      </div>
      {children}
    </dialog>
  );
}
