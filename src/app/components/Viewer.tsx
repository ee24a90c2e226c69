import { useEffect, useRef } from 'react';
import { resize } from '../actions.ts';
import { start } from '../client.ts';
import { useGestures } from '../hooks/useGestures.ts';
import { planeOf, useApp } from '../store.ts';
import { panes } from '../view/panes.ts';
import { Divider } from './Divider.tsx';
import { PaneOverlay } from './PaneOverlay.tsx';

/** The canvas, which the worker draws on, and what is written over it. */
export function Viewer() {
  const viewer = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useGestures(viewer);
  useEffect(() => {
    const element = viewer.current;
    if (!element || !canvas.current) return;
    const measure = () => {
      const ratio = Math.min(window.devicePixelRatio || 1, 2);
      const { width, height } = element.getBoundingClientRect();
      resize({ width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)), ratio });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const which = useApp((state) => state.canvas);
  const given = useRef<HTMLCanvasElement | null>(null);
  useEffect(() => {
    if (!canvas.current || given.current === canvas.current) return;
    given.current = canvas.current;
    start(canvas.current);
  }, [which]);
  return (
    <div className="viewer" ref={viewer}>
      <canvas key={which} ref={canvas} aria-hidden="true" />
      <Overlays />
    </div>
  );
}

function Overlays() {
  const image = useApp((state) => state.image);
  const place = useApp((state) => state.place);
  const size = useApp((state) => state.size);
  const view = useApp((state) => state.view.view);
  const hasReference = useApp((state) => state.reference !== null);
  if (!image) return null;
  const plane = planeOf(image, place);
  const all = panes(size.width, size.height, view, hasReference, plane.geometry);
  return (
    <>
      {all.map((pane, i) => (
        <PaneOverlay key={`${pane.kind} ${pane.first}`} pane={pane} image={image} plane={plane} leading={i === 0} />
      ))}
      {view === 'swipe' && <Divider />}
    </>
  );
}
