import type { KeyboardEvent, PointerEvent } from 'react';
import { changeView } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';

const clamp = (share: number) => Math.min(0.98, Math.max(0.02, share));

/** The line between the two images of the swipe view, to be dragged or moved with the arrow keys. */
export function Divider() {
  const divider = useApp((state) => state.view.divider);
  const drag = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (box) changeView({ divider: clamp((event.clientX - box.left) / box.width) });
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    changeView({ divider: clamp(divider + step) });
  };
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={text.divider}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(divider * 100)}
      className="divider"
      style={{ left: `${divider * 100}%` }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    >
      <svg className="divider-grip" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true">
        <circle cx="14" cy="14" r="13" />
        <path d="M11.5 9.5 7 14l4.5 4.5M16.5 9.5 21 14l-4.5 4.5" />
      </svg>
    </div>
  );
}
