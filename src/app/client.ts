import type { TuneFromWorker } from './fineTune.ts';
import type { DeviceChoice, Found, FromWorker, Role, ToWorker, Work } from './protocol.ts';
import { keepDevices, remembered } from './remember.ts';
import { CAMERA_AT_REST, NO_FIGURES, useApp } from './store.ts';
import type { AppState, TuneState } from './store.ts';
import { text } from './text.ts';

let worker: Worker | null = null;

/** Says something to the worker; before it is started nothing is said. */
export function tell(message: ToWorker, transfer: Transferable[] = []): void {
  worker?.postMessage(message, transfer);
}

/**
 * Asks for a job that says that it is busy, and says so from this moment: what must not begin beside it is disabled at
 * once. Jobs of a moment are told; what is asked for after them waits for them.
 */
export function ask(state: Work['state'], message: ToWorker): void {
  if (!worker) return;
  useApp.setState({ work: { state, done: null, total: null, left: null } });
  tell(message);
}

/** Starts the worker with the viewer's canvas, which it keeps; later gives it the canvas that stands in its place. */
export function start(canvas: HTMLCanvasElement): void {
  if (worker) {
    const fresh = canvas.transferControlToOffscreen();
    return tell({ type: 'canvas', canvas: fresh }, [fresh]);
  }
  worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => hear(data);
  worker.onerror = (event) => {
    event.preventDefault();
    const alert = text.failed.worker(event.message);
    useApp.setState(({ tune }) => ({ alert, work: null, check: null, tune: { ...tune, run: null, ...NO_FIGURES } }));
  };
  const { size, view } = useApp.getState();
  const offscreen = canvas.transferControlToOffscreen();
  const asked = new URLSearchParams(location.search).get('device');
  const device: DeviceChoice = asked === 'wasm' || asked === 'webgpu' ? asked : 'auto';
  const base = new URL(import.meta.env.BASE_URL, location.href).href;
  tell({ type: 'start', canvas: offscreen, size, view, base, device, remembered: remembered() }, [offscreen]);
}

function hear(message: FromWorker): void {
  const set = useApp.setState;
  switch (message.type) {
    case 'canvas':
      return set(({ canvas }) => ({ canvas: canvas + 1 }));
    case 'device':
      return set({ device: message.device });
    case 'samples':
      return set({ samples: message.samples });
    case 'thumbnail':
      return set(({ thumbnails }) => ({ thumbnails: { ...thumbnails, [message.id]: message.url } }));
    case 'models':
      return set({ models: message.models, model: message.chosen });
    case 'found':
      return set({ found: message.found, dialog: 'found' });
    case 'preview':
      return hearPreview(message);
    case 'image':
      return hearImage(message);
    case 'reference':
      return set(({ others, found }) => ({
        reference: message.reference,
        others: { ...others, reference: othersOf('reference', message.finding, others, found) },
      }));
    case 'slice':
      return set({ slice: message.slice });
    case 'busy':
      return set({ work: message.work });
    case 'idle':
      return set({ work: null });
    case 'notice':
      return set({ notice: message.text });
    case 'alert':
      return set({ alert: message.text });
    case 'saved':
      return set({ savedNotes: message.notices });
    case 'download':
      return download(message.name, message.blob);
    case 'sweep':
      return set({ sweep: message.sweep });
    case 'check':
      return set({ check: message.check });
    case 'precision':
      return set({ precision: message.precision });
    case 'remember':
      return keepDevices(message.devices);
    default:
      return set(({ tune }) => ({ tune: { ...tune, ...heardOfTuning(message, tune) } }));
  }
}

function heardOfTuning(message: TuneFromWorker, { losses, validations }: TuneState): Partial<TuneState> {
  switch (message.type) {
    case 'tuneFits':
      return { fit: message.fit };
    case 'tuneRun':
      return message.run ? { run: message.run } : { run: null, ...NO_FIGURES };
    case 'tuneHistory':
      return { ...message.history, left: null };
    case 'tuneStep':
      return { losses: [...losses, message.point], left: message.left };
    case 'tuneValidation':
      return { validations: [...validations, message.validation] };
    case 'tunePictures':
      return { pictures: message.pictures };
    case 'tuneStored':
      return { stored: message.stored };
    case 'tuneProblem':
      return { problem: message.text };
  }
}

/** A fresh image starts with its first preset and at rest; an image that only changed keeps its view. */
function hearImage({ image, place, fresh, finding }: FromWorker & { type: 'image' }): void {
  const { view, others, found } = useApp.getState();
  const opened = { image, place, others: { ...others, input: othersOf('input', finding, others, found) } };
  const preset = image.presets[0];
  if (fresh && preset) {
    const { window, level, inverted } = preset;
    const settled = { ...view, window, level, inverted, camera: CAMERA_AT_REST };
    useApp.setState({ ...opened, slice: null, sweep: null, savedNotes: [], view: settled, alert: null });
    tell({ type: 'view', view: settled });
  } else {
    useApp.setState(opened);
  }
}

/** What else lay in the drop that an image comes from. */
function othersOf(role: Role, finding: number | null, others: AppState['others'], found: Found | null): Found | null {
  const from = [found, others[role]].find((candidate) => candidate !== null && candidate.finding === finding);
  return from ?? null;
}

function hearPreview({ finding, index, picture }: FromWorker & { type: 'preview' }): void {
  const pictured = (found: Found | null): Found | null =>
    found?.finding !== finding
      ? found
      : { ...found, images: found.images.map((card, i) => (i === index ? { ...card, picture } : card)) };
  useApp.setState(({ found, others }) => ({
    found: pictured(found),
    others: { input: pictured(others.input), reference: pictured(others.reference) },
  }));
}

export function download(name: string, blob: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads the blob after this task; it is let go when it surely has.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
