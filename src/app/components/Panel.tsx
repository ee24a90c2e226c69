import { toggleSheet } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { MetricsPanel } from './MetricsPanel.tsx';
import { ModelPanel } from './ModelPanel.tsx';
import { ReferencePanel } from './ReferencePanel.tsx';
import { RestorePanel } from './RestorePanel.tsx';

/** On the right of wide screens, a sheet at the bottom of narrow ones. */
export function Panel() {
  const open = useApp((state) => state.sheetOpen);
  return (
    <aside className={`panel ${open ? 'panel-open' : ''}`} aria-label={text.controls}>
      <button type="button" className="panel-handle" aria-expanded={open} onClick={toggleSheet}>
        <i aria-hidden="true" />
        <span>{open ? text.hideControls : text.showControls}</span>
      </button>
      <div className="panel-body">
        <RestorePanel />
        <MetricsPanel />
        <ReferencePanel />
        <ModelPanel />
      </div>
    </aside>
  );
}
