import type { Modality } from '../formats/volume.ts';
import type { TrainingOptions } from '../training/training.ts';
import type { TunePhase, TuneSource, TuneStart } from './fineTune.ts';

const slices = (n: number) => `${n} ${n === 1 ? 'slice' : 'slices'}`;
const images = (n: number) => `${n} ${n === 1 ? 'image' : 'images'}`;
const files = (n: number) => `${n} ${n === 1 ? 'file' : 'files'}`;

/** "14 MB", "1.2 GB": powers of ten, as disks are sold. */
const size = (bytes: number) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB`
  : bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB`
  : `${(bytes / 1e9).toFixed(1)} GB`;

const because = (error: unknown) => (error instanceof Error ? error.message.split('\n', 1)[0] : String(error));

interface Trained extends TrainingOptions {
  readonly start: TuneStart;
  readonly origin: string;
  readonly step: number;
  readonly slices: number;
  readonly scans: number;
}

/** Every sentence and label of fine-tuning. */
export const tuneText = {
  name: 'Fine-tune',
  sentence: 'Teach the network your own scanner: on this device, from a few good scans.',
  says:
    'The network learns from good scans of your own scanner. All of it happens on this device; nothing is uploaded.',
  open: 'Show the run',
  source: {
    legend: 'Learn from',
    kinds: {
      opened: ['The open image', 'It is taken as good; poor versions of it are simulated.'],
      openedPair: ['The open image and its reference', 'A real pair: the poor slices that you opened, and good ones.'],
      references: ['Good scans', 'The more the better, ten are a start; poor versions of them are simulated.'],
      pairs: ['Pairs of scans', 'Real poor scans and good ones of the same slices, matched by name, size and place.'],
    } satisfies Record<TuneSource['kind'], readonly [string, string]>,
    openedReference: 'Its reference is taken as good; poor versions of that are simulated.',
    openedWith: (name: string, count: number) => `${name}, ${slices(count)}`,
    references: 'Good scans',
    inputs: 'Poor scans',
    chosen: (count: number) => (count === 0 ? 'None chosen yet' : files(count)),
    formats: 'Any format that opens here; every series of a folder counts as one scan.',
  },
  task: {
    legend: 'What poor scans suffer from',
    modality: 'Modality',
    simulated: {
      ct: 'Noise, as at a share of the dose.',
      pet: 'Noise, as with a fraction of the counts.',
      mri: 'Blur, as from the centre of k-space alone.',
    } satisfies Record<Modality, string>,
  },
  start: {
    legend: 'Begin with',
    kinds: {
      model: (name: string) => [name, 'The chosen model goes on from what it knows: minutes on a graphics processor.'],
      light: () => ['A light network from scratch', 'It knows nothing yet and needs many scans and hours.'],
      tiny: () => ['A tiny network from scratch', 'To see in a minute how training goes; too small to be of use.'],
    } satisfies Record<TuneStart, (name: string) => readonly string[]>,
    none: 'No model is chosen',
  },
  parts: {
    legend: 'What is trained',
    all: ['Everything', 'Adapts best.'],
    decoder: [
      'Decoder and refinement only', 'The second half of the network; takes less memory and time, and changes less.',
    ],
  },
  more: 'Steps and rates',
  numbersAre: (steps: number, batch: number, crop: number) => `${steps} steps of ${batch} crops of ${crop} × ${crop}`,
  fields: {
    steps: ['Steps', 'One step looks at one batch of crops and changes the weights a little.'],
    batch: ['Crops a step', 'More make each step steadier, and take more time and memory.'],
    crop: ['Crop, pixels', 'Edge of the squares that are cut out of the slices; a multiple of 8.'],
    rate: ['Learning rate', 'How far a step changes the weights; it falls to a hundredth by the end.'],
    checkpointEvery: [
      'Keep every', 'Steps between two checkpoints in the browser’s own storage; a run goes on from there after a reload.',
    ],
    validateEvery: ['Measure every', 'Steps between two measurements on slices that are not learnt from.'],
    seed: ['Seed', 'The same number gives the same run.'],
  },
  fit: {
    looking: 'Working out what fits…',
    fits: (bytes: number, available: number) =>
      `A step takes about ${size(bytes)} of memory; this device may spend ${size(available)} on it.`,
    recompute: 'To save memory, some of it is computed twice.',
    tooLarge: (bytes: number, available: number) =>
      `A step would take about ${size(bytes)} of memory, and this device should spend at most ` +
      `${size(available)}: take fewer or smaller crops.`,
  },
  begin: 'Start',
  replaces: 'Starting a run takes the place of the one that is kept.',
  stored: {
    title: 'A run is kept',
    says: (title: string, step: number, steps: number) => `${title}: ${step} of ${steps} steps.`,
    date: (date: number) => new Date(date).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
    size: (bytes: number) => `${size(bytes)} on this disk`,
    resume: 'Resume',
    finished: 'Open',
    forget: 'Forget it',
    last: (step: number, bytes: number) => `Kept at step ${step}: ${size(bytes)} on this disk.`,
    none: 'Nothing is kept yet.',
  },
  run: {
    progress: 'Fine-tuning',
    phases: {
      preparing: 'Preparing…',
      running: 'Running',
      pausing: 'Finishing the step…',
      paused: 'Paused',
      ended: 'Ended',
    } satisfies Record<TunePhase, string>,
    done: 'Done',
    step: (step: number, steps: number) => `Step ${step} of ${steps}`,
    learns: (training: number, validation: number) =>
      `Learns from ${slices(training)}` +
      `${validation > 0 ? `, is measured on ${validation} ${validation === 1 ? 'other' : 'others'}` : ''}.`,
    meanwhile: 'Close this window to work on; the run continues, and restoring takes place between two steps.',
    pause: 'Pause',
    goOn: 'Go on',
    stop: 'Stop',
    use: 'Use this model',
    used: 'Chosen as the model',
    export: 'Export weights',
    another: 'New run',
    cancel: 'Cancel',
  },
  charts: {
    loss: 'Loss',
    lossSays: 'How far restored crops are from their references; it jumps from step to step and should fall.',
    quality: 'Held-back slices',
    qualitySays: 'How close restored slices that were not learnt from are to their references; higher is better.',
    noQuality: 'No slice is held back, so nothing is measured.',
    mean: 'mean of 20',
    input: 'of the input',
    psnr: 'PSNR, dB',
    ssim: 'SSIM',
    summary: (name: string, from: string, to: string) => `${name}: from ${from} to ${to}`,
    waiting: 'Comes with the first step',
  },
  pictures: {
    title: (name: string) => `Before and after: ${name}`,
    input: 'Input',
    before: 'Before training',
    now: (step: number) => (step === 0 ? 'Before training' : `After ${step} steps`),
    reference: 'Reference',
  },
  numbers: {
    title: 'Figures',
    losses: 'Loss of the latest steps',
    validations: 'Held-back slices',
    step: 'Step',
    loss: 'Loss',
    rate: 'Rate',
    shown: (count: number) => `The last ${count} steps.`,
  },
  title: (model: string, names: readonly string[]) =>
    `${model}, on ${names.slice(0, 2).join(', ')}${names.length > 2 ? ` and ${names.length - 2} more` : ''}`,
  scratch: 'scratch',
  device: {
    gpu: (name: string) => `On ${name} by WebGPU`,
    wasm: 'On the processor by WebAssembly',
    wasmInstead: (name: string) =>
      `On the processor by WebAssembly, which is faster than ${name} playing a graphics processor`,
  },
  card: {
    /** What a name from here begins with: it is not said twice. */
    own: /^My fine-tuned /,
    names: {
      model: (origin: string) => `My fine-tuned ${origin}`,
      light: () => 'My light network',
      tiny: () => 'My tiny network',
    } satisfies Record<TuneStart, (origin: string) => string>,
    fileName: (name: string) =>
      `${name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').toLowerCase()}.safetensors`,
    pairs: 'Real pairs.',
    training: ({ start, origin, step, slices: count, scans, batch, crop, rate, lastRate, seed, parts }: Trained) =>
      `${start === 'model' ? `Fine-tuned from ${origin}` : 'Trained from scratch'} in a browser ` +
      `on ${slices(count)} of ${images(scans)}: ${step} steps of ${batch} crops of ${crop} × ${crop}, L1 loss, Adam, ` +
      `learning rate ${Number(rate.toPrecision(3))} to ${Number(lastRate.toPrecision(3))} by cosine, seed ${seed}` +
      `${parts === 'decoder' ? ', decoder and refinement only' : ''}.`,
  },
  notices: {
    empty: (count: number) => `${slices(count)} with nothing in them ${count === 1 ? 'is' : 'are'} not learnt from.`,
    noneHeldBack: 'There are too few slices to hold one back: nothing shows whether it does as well on others.',
    thinned: (name: string, every: number) =>
      `Of ${name} one slice in ${every} is taken, so that all of it fits into memory.`,
    firstTime: (name: string) => `Of ${name} the first time point is taken.`,
    otherModality: (name: string, modality: Modality) => `${name} is ${modality.toUpperCase()} and was left out.`,
    leftOut: (name: string, why: string) => `${name} was left out: ${why}.`,
    noStorage: (error: unknown) =>
      `This browser keeps no files for the page (${because(error)}): the run cannot go on after a reload.`,
    noRoom: (error: unknown, step: number | null) =>
      `No further checkpoint can be kept (${because(error)}): the run goes on, and after a reload ` +
      `${step === null ? 'it begins anew' : `continues from step ${step}`}.`,
  },
  failed: {
    doing: 'The training step',
    beginning: 'Preparing the run',
    kept: (step: number) => `The checkpoint at step ${step} is kept.`,
    nothingKept: 'No checkpoint was kept.',
    nothingOpen: 'No image is open: open one, or choose scans to learn from.',
    noReference: 'The open image has no reference: open one, or learn from the image alone.',
    nothing: (modality: Modality) => `There is no ${modality.toUpperCase()} slice to learn from.`,
    noModel: 'No model is chosen: load weights, or begin from scratch.',
    tooMany: (found: number, most: number) => `${found} scans were found; choose at most ${most}.`,
    damaged: (error: unknown) =>
      `The run that is kept is damaged and cannot go on (${because(error)}); forget it and begin a new one.`,
    otherWindow: 'Another window of this app is training and keeps its run on the disk; this one cannot.',
  },
};
