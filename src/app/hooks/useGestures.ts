import { useEffect } from 'react';
import type { RefObject } from 'react';
import { changeView, goToSlice, resetView } from '../actions.ts';
import { planeOf, useApp } from '../store.ts';
import { screenToVoxel, zoomAt } from '../view/geometry.ts';
import { paneAt, panes } from '../view/panes.ts';
import { positionOf } from '../view/place.ts';

/** Wheel travel in CSS pixels that scrolls one slice. */
const WHEEL_STEP = 40;
/** CSS pixels of drag that change the window by its preset width. */
const WINDOW_TRAVEL = 400;

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Pointer and wheel on the viewer: drag for window and level; shift, middle or right drag to move; wheel for slices;
 * ctrl + wheel or two fingers for zoom; double click to reset.
 */
export function useGestures(target: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = target.current;
    if (!element) return;
    const pointers = new Map<number, Point>();
    let travel = 0;

    const local = (event: PointerEvent | WheelEvent): Point => {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const down = (event: PointerEvent) => {
      if (!useApp.getState().image || (event.target as Element).closest('[role="slider"], button')) return;
      element.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, local(event));
    };
    const move = (event: PointerEvent) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const now = local(event);
      const others = [...pointers].filter(([id]) => id !== event.pointerId);
      pointers.set(event.pointerId, now);
      const still = others[0]?.[1];
      if (still) pinch(still, before, now);
      else if (event.shiftKey || event.buttons & 6) pan(now.x - before.x, now.y - before.y);
      else windowLevel(now.x - before.x, now.y - before.y);
    };
    const up = (event: PointerEvent) => pointers.delete(event.pointerId);
    const wheel = (event: WheelEvent) => {
      const { image, place } = useApp.getState();
      if (!image) return;
      const { count } = planeOf(image, place);
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_STEP : 1;
      if (event.ctrlKey || event.metaKey || count === 1) {
        zoomBy(Math.exp((-event.deltaY * lines) / 300), local(event));
        return;
      }
      travel += event.deltaY * lines;
      const steps = Math.trunc(travel / WHEEL_STEP);
      travel -= steps * WHEEL_STEP;
      if (steps !== 0) goToSlice(positionOf(place) + steps);
    };
    const menu = (event: Event) => event.preventDefault();
    const reset = () => resetView();

    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', up);
    element.addEventListener('wheel', wheel, { passive: false });
    element.addEventListener('contextmenu', menu);
    element.addEventListener('dblclick', reset);
    return () => {
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', up);
      element.removeEventListener('wheel', wheel);
      element.removeEventListener('contextmenu', menu);
      element.removeEventListener('dblclick', reset);
    };
  }, [target]);
}

function windowLevel(dx: number, dy: number): void {
  const { image, view } = useApp.getState();
  if (!image) return;
  const step = (image.presets[0]?.window ?? view.window) / WINDOW_TRAVEL;
  // Down raises the level, which darkens, as on a workstation.
  changeView({ window: Math.max(step, view.window + dx * step), level: view.level + dy * step });
}

function zoomBy(factor: number, at: Point): void {
  const { image, place, size, view, reference } = useApp.getState();
  if (!image) return;
  const { geometry } = planeOf(image, place);
  const x = at.x * size.ratio;
  const y = at.y * size.ratio;
  const { rect } = paneAt(panes(size.width, size.height, view.view, reference !== null, geometry), x, y);
  changeView({ camera: zoomAt(rect, geometry, view.camera, factor, x, y) });
}

function pan(dx: number, dy: number): void {
  const { image, place, size, view, reference } = useApp.getState();
  if (!image) return;
  const { geometry } = planeOf(image, place);
  const pane = panes(size.width, size.height, view.view, reference !== null, geometry)[0]!;
  const { scale } = screenToVoxel(pane.rect, geometry, view.camera);
  const { camera } = view;
  const mm = size.ratio / scale;
  changeView({ camera: { ...camera, panX: camera.panX + dx * mm, panY: camera.panY + dy * mm } });
}

/** Two fingers: one rests at `still`, the other goes from `before` to `now`. */
function pinch(still: Point, before: Point, now: Point): void {
  const distance = (p: Point) => Math.max(1, Math.hypot(p.x - still.x, p.y - still.y));
  pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  zoomBy(distance(now) / distance(before), { x: (still.x + now.x) / 2, y: (still.y + now.y) / 2 });
}
