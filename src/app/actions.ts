import type { VoxelAxis } from '../formats/orientation.ts';
import type { Modality } from '../formats/volume.ts';
import type { Degradation } from '../image/degrade.ts';
import { ask, tell } from './client.ts';
import type { CanvasSize, Found, NamedFile, Role, SaveRequest, SeriesRequest, ViewSettings } from './protocol.ts';
import { CAMERA_AT_REST, acquiredPlane, planeOf, useApp } from './store.ts';
import type { AppState } from './store.ts';
import { text } from './text.ts';
import { VIEWS } from './view/panes.ts';
import { ACQUIRED, movedTo } from './view/place.ts';
import type { Place } from './view/place.ts';

/** What a user can do, in terms of the store and the worker. */

export function open(files: NamedFile[], role: Role): void {
  if (files.length === 0) return;
  useApp.setState({ alert: null });
  ask('looking', { type: 'open', files, role });
}

export function openSample(id: string): void {
  useApp.setState({ alert: null });
  ask('loading', { type: 'sample', id });
}

/** Opens one of the images that were found. */
export function choose({ role, finding }: Found, index: number): void {
  useApp.setState({ dialog: null, alert: null });
  ask('loading', { type: 'choose', role, finding, index });
}

/** Comes back to the images of the drop that the open one lay in. */
export function showOthers(role: Role): void {
  const found = useApp.getState().others[role];
  if (!found) return;
  useApp.setState({ found, dialog: 'found' });
  tell({ type: 'previews', finding: found.finding });
}

const clamped = (index: number, count: number) => Math.min(count - 1, Math.max(0, Math.round(index)));

function goTo(place: Place): void {
  useApp.setState({ place });
  tell({ type: 'place', place });
}

/** The picture with that number along the plane's axis. */
export function goToSlice(index: number): void {
  const { image, place } = useApp.getState();
  if (!image) return;
  const to = clamped(index, planeOf(image, place).count);
  if (to !== place.voxel[place.across]) goTo(movedTo(place, to));
}

export function goToTime(index: number): void {
  const { image, place } = useApp.getState();
  if (!image) return;
  const time = clamped(index, image.times);
  if (time !== place.time) goTo({ ...place, time });
}

export function choosePlane(across: VoxelAxis): void {
  const { place } = useApp.getState();
  if (across === place.across) return;
  changeView({ camera: CAMERA_AT_REST });
  goTo({ ...place, across });
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
  const { image, work, place } = useApp.getState();
  if (!image || work) return;
  if (place.across !== ACQUIRED) {
    useApp.setState({ notice: text.notices.notOnCuts(acquiredPlane(useApp.getState())) });
    return;
  }
  useApp.setState({ alert: null });
  ask('restoring', { type: 'restore' });
}

export function restoreVolume(): void {
  useApp.setState({ alert: null });
  ask('volume', { type: 'restoreVolume' });
}

export const cancel = () => tell({ type: 'cancel' });
export const chooseModel = (id: string) => tell({ type: 'model', id });
export const chooseModality = (modality: Modality) => tell({ type: 'modality', modality });
export const degrade = (degradation: Degradation | null) => ask('degrading', { type: 'degrade', degradation });

export function loadWeights(file: NamedFile): void {
  useApp.setState({ alert: null });
  ask('weights', { type: 'weights', file });
}

export function save(request: SaveRequest): void {
  useApp.setState({ dialog: null, alert: null });
  ask('saving', { type: 'save', request });
}

/** The browser can write into a folder that the user picks. */
export const canPickFolder = () => typeof window.showDirectoryPicker === 'function';

/** Asks for a folder, which the browser allows only at a click, and saves the series there. */
export async function saveToFolder(options: Omit<SeriesRequest, 'folder'>): Promise<void> {
  let folder: FileSystemDirectoryHandle | undefined;
  try {
    folder = await window.showDirectoryPicker?.({ mode: 'readwrite' });
  } catch (error) {
    // The user thought better of it: the dialogue stays.
    if (error instanceof DOMException && error.name === 'AbortError') return;
    const why = error instanceof Error ? error.message : String(error);
    useApp.setState({ alert: text.failed.noFolder(why), dialog: null });
  }
  if (folder) save({ what: 'dicom', ...options, folder });
}

export const showDialog = (dialog: AppState['dialog']) => useApp.setState({ dialog });
export const dismissAlert = () => useApp.setState({ alert: null });
export const toggleSheet = () => useApp.setState(({ sheetOpen }) => ({ sheetOpen: !sheetOpen }));
