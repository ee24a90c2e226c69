import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { showDialog } from '../actions.ts';
import { text } from '../text.ts';

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  readonly wide?: boolean;
}

/** A modal dialog that is there while it is rendered; what is marked `data-first` has the focus. */
export function Dialog({ title, children, wide = false }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} className={`dialog ${wide ? 'dialog-wide' : ''}`} onClose={() => showDialog(null)}>
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
