import { HELPER, type StartHelper } from './helpers.ts';

/** A worker that does not start in this time, because the page's policy forbids its kind say, is done without. */
const PATIENCE_MS = 5000;

/** A worker of a worker. */
export const startBrowserHelper: StartHelper = (start) => new Promise((resolve, reject) => {
  const url = URL.createObjectURL(new Blob([`${HELPER}
    onmessage = ({ data }) => help(data, () => postMessage('ready'));`], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const end = (error: Error) => {
    worker.terminate();
    reject(error);
  };
  const timer = setTimeout(() => end(new Error('wasm: a thread did not start')), PATIENCE_MS);
  worker.onmessage = () => {
    clearTimeout(timer);
    URL.revokeObjectURL(url);
    resolve(worker);
  };
  worker.onerror = () => end(new Error('wasm: a thread could not be started'));
  worker.postMessage(start);
});
