import type { Role, Work } from './protocol.ts';
import type { Source, ViewName } from './view/panes.ts';

const voxels = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'voxel' : 'voxels'}`;

/** Every sentence and label of the page. */

/** "58,609", "1.16 M": of parameters. */
const count = (parameters: number) =>
  parameters < 1e5 ? `${parameters.toLocaleString('en')} params` : `${(parameters / 1e6).toFixed(2)} M params`;

const PAPER = 'https://arxiv.org/abs/2407.11087';

export const text = {
  title: 'Restore-RWKV',
  paper: { href: PAPER, label: 'Paper' },
  privacy: 'Files never leave this computer.',
  notMedical: 'Not a medical device: for research and teaching, not for diagnosis.',
  open: 'Open images',
  start: {
    headline: 'Restore noisy and undersampled medical images, right here.',
    sentence:
      'Restore-RWKV sharpens low-resolution MRI and takes the noise out of low-dose CT and low-count PET. ' +
      'The network runs on this device, on its graphics processor where the browser allows it; nothing is uploaded.',
    drop: 'Drop images here',
    kinds: 'DICOM files or a folder of them, NIfTI (.nii, .nii.gz), or PNG',
    files: 'Choose files',
    folder: 'Choose a folder',
    samples: 'Or begin with a sample',
    loading: 'Loading…',
    noSamples: 'No samples are shipped with this copy.',
  },
  dropToOpen: 'Drop to open',
  views: { side: 'Side by side', swipe: 'Swipe', difference: 'Difference', ssim: 'SSIM map' } satisfies Record<
    ViewName,
    string
  >,
  sources: { input: 'Input', restored: 'Restored', reference: 'Reference' } satisfies Record<Source, string>,
  pane: {
    minus: (first: string, second: string) => `${first} − ${second}`,
    similarity: (first: string, second: string | null) =>
      `SSIM of ${first.toLowerCase()}${second === null ? '' : ` and ${second.toLowerCase()}`}`,
    notYet: 'Not restored yet',
    pressRestore: 'Press Restore or the R key',
    restoring: 'Restoring…',
  },
  divider: 'Divider between input and restored',
  controls: 'Controls',
  showControls: 'Show all controls',
  hideControls: 'Hide controls',
  view: 'View',
  slice: 'Slice',
  window: 'Window',
  level: 'Level',
  preset: 'Preset',
  custom: 'Custom',
  invert: 'Invert',
  fit: 'Fit',
  restore: {
    title: 'Restore',
    sentence: 'The network adds a learned residual to the whole slice.',
    section: 'Section 3',
    button: 'Restore',
    volume: 'Restore volume',
    cancel: 'Cancel',
    ready: (count: number, slices: number) =>
      count === 0 ? 'Ready.' : count === 1 && slices === 1 ? 'Restored.' : `${count} of ${slices} slices restored.`,
    gained: (from: string, to: string) => `PSNR ${from} → ${to} dB`,
    modality: 'Treat as',
    guessed: 'The file does not say its modality.',
  },
  modalities: { ct: 'CT', pet: 'PET', mri: 'MRI' },
  metrics: {
    title: 'Metrics',
    sentence: 'How close each image is to the reference.',
    section: 'Section 4.1',
    noReference: 'Needs a reference: add one below, or degrade this image.',
    against: (name: string, range: string) => `Against ${name}, clamped to ${range}.`,
    kinds: { sample: 'the sample’s own reference', file: 'the reference file', degraded: 'the image as opened' },
    change: 'Change',
    none: '–',
    volume: (slices: number) => `Mean of ${slices} restored slices`,
  },
  reference: {
    title: 'Reference',
    sentence: 'A better image of the same slices, or this one after a simulated degradation.',
    input: 'Reference',
    choose: 'Open reference…',
    degrade: 'Degrade',
    undo: 'Undo',
    strength: 'Strength',
    current: 'Now:',
    noneYet: 'none',
  },
  model: {
    title: 'Model',
    label: 'Model',
    load: 'Load weights',
    sentence: 'Weights are read on this device; safetensors or a PyTorch checkpoint.',
    card: 'Model card',
    noCard: 'Loaded from a file, which carries no model card: what it was trained for is unknown.',
    tasks: 'Tasks',
    trained: 'Training',
    data: 'Data',
    licence: 'Licence',
    limits: 'Limits',
    measured: 'Measured',
    source: 'Source',
    option: (name: string, variant: string | null, parameters: number | null) =>
      [name, variant, parameters === null ? null : count(parameters)].filter(Boolean).join(' · '),
    measuredOn: (slices: number, units: string) =>
      `${slices} slices, RMSE ${/^of /.test(units) ? units : `in ${units}`}`,
    none: 'No model is shipped with this copy: load weights.',
  },
  save: {
    button: 'Save',
    title: 'Save',
    nifti: 'NIfTI volume',
    niftiSays: 'In the input’s own space and number type.',
    niftiDicom: 'In the input’s own space. A derived DICOM series is not offered yet.',
    png: 'PNG image',
    pngSays: 'The view exactly as it is shown, without labels.',
    partly: (count: number, slices: number) =>
      `${count} of ${slices} slices are restored; the others are saved as they are in the input.`,
    nothing: 'Nothing is restored yet: restore a slice or the volume first.',
    close: 'Close',
  },
  device: {
    precision: 'f32',
    title: 'Device',
    looking: 'Looking for a graphics processor…',
    software: 'Software rendering: slow',
    wasm: 'WebAssembly on the processor: slow',
    /** The reason why there is no WebGPU, without the name of the part that found it. */
    because: (why: string) => why.replace(/^device: /, ''),
  },
  work: {
    loading: 'Loading the image…',
    degrading: 'Simulating the degradation…',
    weights: 'Loading the weights…',
    compiling: 'Compiling shaders for this size…',
    restoring: 'Restoring the slice…',
    volume: 'Restoring the volume…',
    saving: 'Writing the file…',
  } satisfies Record<Work['state'], string>,
  progress: (done: number, total: number) => `${done} of ${total} slices`,
  left: (milliseconds: number) => {
    const seconds = Math.ceil(milliseconds / 1000);
    return seconds < 90 ? `about ${seconds} s left` : `about ${Math.round(seconds / 60)} min left`;
  },
  dismiss: 'Dismiss',
  keys: {
    title: 'Keyboard',
    button: 'Keyboard shortcuts',
    list: [
      ['← → ↑ ↓', 'Previous and next slice'],
      ['R', 'Restore this slice'],
      ['V', 'Next view'],
      ['I', 'Invert greys'],
      ['+ −', 'Zoom'],
      ['0', 'Fit the image and reset its window'],
      ['Esc', 'Cancel what is running'],
      ['?', 'This list'],
    ],
    pointer: [
      ['Drag', 'Window (across) and level (up, down)'],
      ['Wheel', 'Slices'],
      ['Ctrl + wheel, pinch', 'Zoom'],
      ['Shift + drag, two fingers', 'Move'],
      ['Double click', 'Reset'],
    ],
  },
  failed: {
    worker: (why: string) =>
      `The part of the app that computes has stopped (${why || 'no reason given'}); reload the page.`,
    fetch: (what: string, status: string) =>
      `${what} could not be fetched (${status}); check the connection and reload.`,
    shape: (reference: string, input: string) =>
      `The reference has ${reference} and the input ${input} (columns × rows × slices); they must be the same.`,
    referenceFirst: 'Open the image to be restored before its reference.',
    noFiles: 'The folder is empty; drop one with DICOM, NIfTI or PNG files.',
    tooLarge: (name: string, size: number, most: number) =>
      `${name} has ${(size / 2 ** 20).toFixed(0)} MiB; at most ${(most / 2 ** 20).toFixed(0)} MiB can be opened here.`,
    unexpected: (doing: string, why: string) => `${doing} failed: ${why}`,
    gpuLost: (why: string) => `The graphics device was lost (${why}); it was set up again, press Restore.`,
  },
  notices: {
    opened: (name: string, role: Role) => (role === 'input' ? `${name} opened.` : `${name} is now the reference.`),
    clamped: (clamped: number, where: 'slice' | 'volume', low: string, high: string) =>
      `Outside ${low} … ${high}, and clamped for the network: ${voxels(clamped)} of this ${where}.`,
    nonFinite: (found: number, where: 'slice' | 'volume', low: string) =>
      `Not a number, and ${low} for the network: ${voxels(found)} of this ${where}.`,
    cancelled: (count: number) => `Cancelled; ${count} restored ${count === 1 ? 'slice is' : 'slices are'} kept.`,
    saved: (name: string) => `${name} saved.`,
  },
} as const;
