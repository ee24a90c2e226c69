import { useEffect } from 'react';
import {
  cancel, changeView, goToSlice, goToTime, nextView, resetView, restore, showDialog,
} from '../actions.ts';
import { planeOf, useApp } from '../store.ts';
import { positionOf } from '../view/place.ts';

/** What sliders and radio buttons do with keys themselves. */
const STEERING = /^(Arrow|Page|Home$|End$)/;

/** Shortcuts of the whole page; a control that has the focus keeps the keys that it needs itself. */
export function useKeyboard(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || useApp.getState().dialog) return;
      const focused = event.target instanceof HTMLElement ? event.target : document.body;
      const types = focused instanceof HTMLInputElement && focused.type === 'number';
      if (types || focused instanceof HTMLSelectElement || focused instanceof HTMLTextAreaElement) return;
      const steers = focused instanceof HTMLInputElement || focused.getAttribute('role') === 'slider';
      if (steers && STEERING.test(event.key)) return;
      if (act(event.key, event.shiftKey)) event.preventDefault();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}

/** True where the key means something. */
function act(key: string, shift: boolean): boolean {
  const { place, image, work, view } = useApp.getState();
  if (key === '?') {
    showDialog('keys');
    return true;
  }
  if (key === 'Escape' && work) {
    cancel();
    return true;
  }
  if (!image) return false;
  const step = (by: number) => (shift ? goToTime(place.time + by) : goToSlice(positionOf(place) + by));
  switch (key.toLowerCase()) {
    case 'arrowleft':
    case 'arrowup':
      step(-1);
      return true;
    case 'arrowright':
    case 'arrowdown':
      step(1);
      return true;
    case 'pageup':
      goToTime(place.time - 1);
      return true;
    case 'pagedown':
      goToTime(place.time + 1);
      return true;
    case 'home':
      goToSlice(0);
      return true;
    case 'end':
      goToSlice(planeOf(image, place).count - 1);
      return true;
    case 'r':
      restore();
      return true;
    case 'v':
      nextView();
      return true;
    case 'i':
      changeView({ inverted: !view.inverted });
      return true;
    case '0':
      resetView();
      return true;
    case '+':
    case '=':
      changeView({ camera: { ...view.camera, zoom: Math.min(32, view.camera.zoom * 1.25) } });
      return true;
    case '-':
      changeView({ camera: { ...view.camera, zoom: Math.max(0.25, view.camera.zoom / 1.25) } });
      return true;
    default:
      return false;
  }
}
