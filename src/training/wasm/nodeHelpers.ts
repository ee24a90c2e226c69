import { Worker } from 'node:worker_threads';
import { HELPER, type StartHelper } from './helpers.ts';

/** A thread of Node's, which does not keep the process from ending. */
export const startNodeHelper: StartHelper = (start) => new Promise((resolve, reject) => {
  const worker = new Worker(
    `${HELPER}
    const { workerData, parentPort } = require('node:worker_threads');
    help(workerData, () => parentPort.postMessage('ready'));`,
    { eval: true, workerData: start },
  );
  worker.once('message', () => {
    worker.unref();
    resolve({ terminate: () => void worker.terminate() });
  });
  worker.once('error', reject);
});
