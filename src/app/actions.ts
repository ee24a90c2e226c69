import type { Modality } from '../formats/volume.ts';
import { tell } from './client.ts';
import type { CanvasSize, NamedFile, Role, ViewSettings } from './protocol.ts';
import { CAMERA_AT_REST, useApp } from './store.ts';
import { VIEWS } from './view/panes.ts';

/** What a user can do, in terms of the store and the worker. */

export function open(files: NamedFile[], role: Role): void {
  if (files.length === 0) return;
  useApp.setState({ alert: null });
  tell({ type: 'open', files, role });
}

export function openSample(id: string): void {
  useApp.setState({ alert: null });
  tell({ type: 'sample', id });
}

export function goToSlice(index: number): void {
  const { image, index: from } = useApp.getState();
  if (!image) return;
  const to = Math.min(image.slices - 1, Math.max(0, Math.round(index)));
  if (to === from) return;
  useApp.setState({ index: to });
  tell({ type: 'slice', index: to });
}

export function changeView(change: Partial<ViewSettings>): void {
  const view = { ...useApp.getState().view, ...change };
  useApp.setState({ view });
  tell({ type: 'view', view });
}

export function nextView(): void {
  const { view } = useApp.getState().view;
  changeView({ view: VIEWS[(VIEWS.indexOf(view) + 1) % VIEWS.length]! });
}

/** Fits the image and takes its first preset again. */
export function resetView(): void {
  const preset = useApp.getState().image?.presets[0];
  const window = preset ? { window: preset.window, level: preset.level, inverted: preset.inverted } : {};
  changeView({ camera: CAMERA_AT_REST, ...window });
}

export function resize(size: CanvasSize): void {
  useApp.setState({ size });
  tell({ type: 'resize', size });
}

export function restore(): void {
  const { image, work } = useApp.getState();
  if (!image || work) return;
  useApp.setState({ alert: null });
  tell({ type: 'restore' });
}

export function restoreVolume(): void {
  useApp.setState({ alert: null });
  tell({ type: 'restoreVolume' });
}

export const cancel = () => tell({ type: 'cancel' });
export const chooseModel = (id: string) => tell({ type: 'model', id });
export const chooseModality = (modality: Modality) => tell({ type: 'modality', modality });
export const degrade = (strength: number | null) => tell({ type: 'degrade', strength });

export function loadWeights(file: NamedFile): void {
  useApp.setState({ alert: null });
  tell({ type: 'weights', file });
}

export function save(what: 'nifti' | 'png'): void {
  useApp.setState({ dialog: null, alert: null });
  tell({ type: 'save', what });
}

export const showDialog = (dialog: 'save' | 'keys' | null) => useApp.setState({ dialog });
export const dismissAlert = () => useApp.setState({ alert: null });
export const toggleSheet = () => useApp.setState(({ sheetOpen }) => ({ sheetOpen: !sheetOpen }));
