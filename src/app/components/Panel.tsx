import { useEffect, useRef } from 'react';
import type { FocusEvent } from 'react';
import { toggleSheet } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { FineTunePanel } from './FineTunePanel.tsx';
import { MetricsPanel } from './MetricsPanel.tsx';
import { ModelPanel } from './ModelPanel.tsx';
import { ReferencePanel } from './ReferencePanel.tsx';
import { RestorePanel } from './RestorePanel.tsx';

/** What the keyboard reaches in a sheet that is pulled down must be seen. */
function showFocused({ target }: FocusEvent<HTMLElement>): void {
  const outOfSight = target.closest('.part')?.matches(':not(:first-child)');
  if (outOfSight && target.matches(':focus-visible') && !useApp.getState().sheetOpen) toggleSheet();
}

/** On the right of wide screens, a sheet at the bottom of narrow ones. */
export function Panel() {
  const open = useApp((state) => state.sheetOpen);
  const body = useRef<HTMLDivElement>(null);
  // Pulled down, the sheet shows its beginning.
  useEffect(() => {
    if (!open) body.current?.scrollTo({ top: 0 });
  }, [open]);
  return (
    <aside className={`panel ${open ? 'panel-open' : ''}`} aria-label={text.controls}>
      <button type="button" className="panel-handle" aria-expanded={open} onClick={toggleSheet}>
        <i aria-hidden="true" />
        <span>{open ? text.hideControls : text.showControls}</span>
      </button>
      <div className="panel-body" ref={body} onFocus={showFocused}>
        <RestorePanel />
        <MetricsPanel />
        <ReferencePanel />
        <ModelPanel />
        <FineTunePanel />
      </div>
    </aside>
  );
}
