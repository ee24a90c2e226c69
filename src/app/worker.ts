/// <reference lib="webworker" />
import type { FromWorker, ToWorker } from './protocol.ts';
import { text } from './text.ts';
import { openMachine } from './worker/device.ts';
import type { Machine } from './worker/device.ts';
import { createJobs, sentence } from './worker/jobs.ts';
import { openModels } from './worker/models.ts';
import { Precision } from './worker/precision.ts';
import { openSamples, sampleThumbnail } from './worker/samples.ts';
import type { Sample } from './worker/samples.ts';
import { Session } from './worker/session.ts';
import type { Tuning } from './worker/tuning.ts';
import { createSurface } from './worker/surface.ts';
import type { Surface } from './worker/surface.ts';

const post = (message: FromWorker) => self.postMessage(message);
const fail = (words: string) => post({ type: 'alert', text: words });
const tell = (words: string) => post({ type: 'notice', text: words });
const jobs = createJobs(fail, tell, () => {
  post({ type: 'idle' });
  measureAtRest();
});

/** Nothing must have been asked for so long (ms) before the device is measured. */
const REST = 1500;
let resting: ReturnType<typeof setTimeout> | undefined;

let session: Session | null = null;
let surface: Surface | null = null;
/** Fetched when it is first asked for. */
let tuning: () => Promise<Tuning> = () => Promise.reject(new Error('not started'));
let samples: Promise<Sample[]> = Promise.resolve([]);

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  hear(data).catch((error: unknown) => fail(sentence('The request', error)));
};

async function hear(message: ToWorker): Promise<void> {
  if (message.type === 'start') return begin(message);
  if (!session) return;
  const now = session;
  switch (message.type) {
    case 'canvas':
      return surface?.put(message.canvas);
    case 'resize':
      return now.stage.show({ size: message.size });
    case 'view':
      return now.stage.show({ view: message.view });
    case 'place':
      return now.stage.goTo(message.place);
    case 'cancel':
      return jobs.cancel();
    case 'open':
      jobs.cancel();
      return jobs.run('Opening the files', (job) => now.open(message.files, message.role, job));
    case 'choose':
      jobs.cancel();
      return jobs.run('Opening the image', (job) => now.choose(message.role, message.finding, message.index, job));
    case 'previews':
      return now.previews(message.finding);
    case 'sample':
      jobs.cancel();
      return jobs.run('Opening the sample', async (job) => {
        const sample = (await samples).find(({ card }) => card.id === message.id);
        if (sample) await now.openSample(sample, job);
      });
    case 'modality':
      jobs.cancel();
      return jobs.run('Changing the modality', () => now.setModality(message.modality));
    case 'degrade':
      return jobs.run('The simulated degradation', () => now.degrade(message.degradation));
    case 'model':
      return jobs.run('Choosing the model', () => now.chooseModel(message.id));
    case 'weights':
      return jobs.run('Loading the weights', () => now.loadWeights(message.file));
    case 'restore':
      return jobs.run('Restoring the slice', (job) => now.restore(job));
    case 'restoreVolume':
      return jobs.run('Restoring the volume', (job) => now.restoreVolume(job));
    case 'precision':
      return jobs.run('Changing the precision', () => now.setPrecision(message.choice));
    case 'save':
      return jobs.run('Saving', (job) => now.save(message.request, job));
    case 'tuneFit':
      return (await tuning()).tellFit(message.fit);
    case 'tune':
      return jobs.run('Preparing the run', async (job) => (await tuning()).begin(message.request, job));
    case 'tuneResume':
      return jobs.run('Preparing the run', async (job) => (await tuning()).resume(job));
    case 'tuneForget':
      return jobs.run('Forgetting the run', async () => (await tuning()).forget());
    case 'tunePause':
      return (await tuning()).pause();
    case 'tuneGoOn':
      return (await tuning()).goOn();
    case 'tuneStop':
      return (await tuning()).stop();
    case 'tuneUse':
      return jobs.run('Using the trained model', async () => (await tuning()).use());
    case 'tuneExport':
      return jobs.run('Exporting the weights', async () => (await tuning()).export());
    case 'tuneClose':
      return jobs.run('Closing the run', async () => (await tuning()).close());
    case 'sweep':
      return jobs.run('The sweep', async (job) =>
        (await import('./worker/sweeping.ts')).sweepStrengths(now, message, job));
    case 'check':
      return jobs.run('The check of the device', async (job) =>
        (await import('./worker/checking.ts')).checkDevice(now.ground, message, job));
  }
}

/** Measures the device after a while in which nothing was asked for; what is asked for then ends it. */
function measureAtRest(): void {
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (jobs.busy || !session) return;
    const now = session;
    // A device that is lost is told of by itself, and what cannot be measured stays as it was.
    jobs.turn(() => now.measureAtRest(() => jobs.busy)).catch(() => undefined);
  }, REST);
}

/** Looks for a device, lists models and samples, and fetches ahead what a first click will need. */
async function begin({ canvas, size, view, base, device, remembered }: ToWorker & { type: 'start' }): Promise<void> {
  const precision = new Precision(post, remembered);
  const drawn = createSurface(canvas, () => post({ type: 'canvas' }));
  surface = drawn;
  const open = () => openMachine(drawn, device, (found) => precision.expected(found));
  let machine = open();
  const models = openModels(base, precision);
  samples = openSamples(base);
  session = new Session({ post, machine: () => machine, models, precision, settle: jobs.settle }, view, size);
  const now = session;
  let tunes: Promise<Tuning> | null = null;
  tuning = () => (tunes ??= import('./worker/tuning.ts').then(({ Tuning }) => new Tuning(now, jobs.turn)));

  const watch = async (current: Machine): Promise<void> => {
    post({ type: 'device', device: current.state });
    const chosen = await models.then((all) => all.chosen, () => null);
    precision.tell(current, chosen);
    const why = await current.lost;
    fail(text.failed.gpuLost(why));
    machine = open();
    await now.stage.refresh();
    await watch(await machine);
  };
  machine.then(watch).catch((error: unknown) => fail(sentence('Setting up the graphics device', error)));

  // A failure here is told when a click asks for the network again.
  models
    .then(async (all) => all.network(await machine))
    .then(() => now.postModels())
    .catch(() => undefined);

  const listed = await samples;
  post({ type: 'samples', samples: listed.map(({ card }) => card) });
  await now.postModels();
  await (await tuning()).tellStored();
  for (const sample of listed) post({ type: 'thumbnail', id: sample.card.id, url: await sampleThumbnail(sample) });
}
