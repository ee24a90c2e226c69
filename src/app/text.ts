import type { FormatName, Modality } from '../formats/volume.ts';
import type { PlaneState, Role, Work } from './protocol.ts';
import type { Source, ViewName } from './view/panes.ts';

const voxels = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'voxel' : 'voxels'}`;
const files = (n: number) => `${n} ${n === 1 ? 'file' : 'files'}`;

/** The slices that were acquired, by their plane. */
const acquired = (plane: PlaneState['name']) =>
  plane === 'axial' || plane === 'coronal' || plane === 'sagittal' ? `${plane} slices` : 'slices as stored';

/** "58,609", "1.16 M": of parameters. */
const count = (parameters: number) =>
  parameters < 1e5 ? `${parameters.toLocaleString('en')} params` : `${(parameters / 1e6).toFixed(2)} M params`;

const PAPER = 'https://arxiv.org/abs/2407.11087';

/** Every sentence and label of the page, but for fine-tuning, the sweep, the check and precision, which have files of their own. */
export const text = {
  title: 'Restore-RWKV',
  /** Named in the files that are saved. */
  software: (version: string, precision: string) => `Restore-RWKV in the browser ${version}${precision}`,
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
    kinds:
      'A folder, a zip or files: DICOM (series, DICOMDIR), NIfTI, Analyze, NRRD, MetaImage, PNG, JPEG, TIFF, NumPy arrays',
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
    pressVolume: (plane: PlaneState['name']) => `Only ${acquired(plane)} are restored: press Restore volume`,
    restoring: 'Restoring…',
    part: (there: number, through: number) => `${there} of ${through} slices`,
  },
  divider: 'Divider between input and restored',
  controls: 'Controls',
  showControls: 'Show all controls',
  hideControls: 'Hide controls',
  view: 'View',
  slice: 'Slice',
  time: 'Time',
  timeValue: (time: number, times: number) => `${time + 1} of ${times}`,
  plane: 'Plane',
  planes: {
    axial: 'Axial',
    coronal: 'Coronal',
    sagittal: 'Sagittal',
    stored: 'As stored',
    alongRows: 'Along rows',
    alongColumns: 'Along columns',
  } satisfies Record<PlaneState['name'], string>,
  acquired: 'as acquired',
  formats: {
    dicom: 'DICOM',
    nifti: 'NIfTI',
    analyze: 'Analyze',
    nrrd: 'NRRD',
    metaimage: 'MetaImage',
    png: 'PNG',
    jpeg: 'JPEG',
    tiff: 'TIFF',
    npy: 'NumPy',
  } satisfies Record<FormatName, string>,
  found: {
    title: 'Choose an image',
    reference: 'Choose a reference',
    says: (count: number) => `${count} images were found. The others stay at hand.`,
    others: (count: number) => `Other images (${count})…`,
    unknownSize: 'Size known once it is opened',
    unknownModality: 'Modality unknown',
    slices: (slices: number) => `${slices} ${slices === 1 ? 'slice' : 'slices'}`,
    times: (times: number) => `${times} times`,
    files,
    scans: (count: number) => `${count} ${count === 1 ? 'scan' : 'scans'}`,
    noPicture: 'No preview',
  },
  notes: {
    button: (count: number) => (count === 1 ? '1 note' : `${count} notes`),
    title: 'Notes about this image',
    saved: 'About the last save',
  },
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
    onCuts: (plane: PlaneState['name'], count: number, slices: number) =>
      `Only ${acquired(plane)} are restored: ${count} of ${slices}.`,
    half: 'This one in 16-bit.',
    gained: (from: string, to: string) => `PSNR ${from} → ${to} dB`,
    modality: 'Treat as',
    guessed: 'The file does not say its modality.',
  },
  modalities: { ct: 'CT', pet: 'PET', mri: 'MRI' },
  metrics: {
    title: 'Metrics',
    sentence: 'How close each image is to the reference.',
    section: 'Section 4.1',
    onCuts: (plane: PlaneState['name']) => `Measured on ${acquired(plane)} only.`,
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
    noCard:
      'Loaded from a file, which carries no model card: what it was trained for is unknown, and the paper’s fixed ranges ' +
      '(−1024 … 3072 HU, 0 … 20 SUV, 0 … 4095) become 0 … 1.',
    tasks: 'Tasks',
    trained: 'Training',
    normalisation: 'Normalisation',
    data: 'Data',
    licence: 'Licence',
    limits: 'Limits',
    measured: 'Measured',
    source: 'Source',
    otherTask: (tasks: readonly string[], modality: Modality) =>
      `This model learnt ${tasks.join(' and ')} and nothing of ${text.modalities[modality]}: take another for this image.`,
    option: (name: string, variant: string | null, parameters: number | null) =>
      [name, variant, parameters === null ? null : count(parameters)].filter(Boolean).join(' · '),
    measuredOn: (slices: number, units: string) =>
      `${slices} slices, RMSE ${/^of /.test(units) ? units : `in ${units}`}`,
    none: 'No model is shipped with this copy: load weights.',
    unnamed: 'unnamed',
  },
  save: {
    button: 'Save',
    title: 'Save',
    format: 'Format',
    kinds: {
      nifti: ['NIfTI volume', '.nii.gz, in the input’s own space.'],
      dicom: ['DICOM series', 'Derived from the input: one file a slice, or multi-frame as the input is.'],
      nrrd: ['NRRD volume', '.nrrd, in the input’s own space.'],
      metaimage: ['MetaImage volume', '.mha, in the input’s own space.'],
      png: ['PNG image', 'The view exactly as it is shown, without labels.'],
    },
    numbers: 'Numbers',
    source: 'As the input',
    float32: '32-bit float',
    derived:
      'The series is new and marked DERIVED, with unique identifiers (UIDs) of its own; patient, study and place are ' +
      'the input’s. The model and its version are named in it.',
    deidentify: 'De-identify',
    deidentifySays: 'By the basic profile of DICOM PS3.15.',
    profile: 'What this removes, empties and replaces',
    effects: { removed: 'Removed', emptied: 'Emptied', replaced: 'Replaced' },
    examples: (count: number, examples: readonly string[]) =>
      `${count} attributes, among them ${examples.join(', ')}.`,
    partly: (count: number, slices: number) =>
      `${count} of ${slices} slices are restored; the others are saved as they are in the input.`,
    nothing: 'Nothing is restored yet: restore a slice or the volume first.',
    everySlice: 'Every slice',
    everySliceSays: (count: number, slices: number) =>
      `Also the ${slices - count} that are not restored, with the input’s values; their headers say so.`,
    simulated: 'The input is simulated, which no derived series should hide: undo Degrade to save DICOM.',
    file: 'Save file',
    folder: 'Save to a folder…',
    zip: 'Save as one .zip',
    close: 'Close',
  },
  device: {
    title: 'Device',
    looking: 'Looking for a graphics processor…',
    software: 'Software rendering: slow',
    wasm: 'WebAssembly on the processor, slower than a GPU',
    /** The reason why there is no WebGPU, without the name of the part that found it. */
    because: (why: string) => why.replace(/^device: /, ''),
  },
  work: {
    looking: 'Looking at the files…',
    loading: 'Reading the image…',
    degrading: 'Simulating the degradation…',
    weights: 'Loading the weights…',
    compiling: 'Compiling shaders for this size…',
    restoring: 'Restoring the slice…',
    volume: 'Restoring the volume…',
    saving: 'Writing the file…',
    scans: 'Reading the scans…',
    preparing: 'Preparing the run…',
    sweep: 'Measuring over strengths…',
    check: 'Checking this device…',
    precision: 'Checking 16-bit floats with this model…',
  } satisfies Record<Work['state'], string>,
  progress: (done: number, of: string) => `${done} of ${of}`,
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
      ['Shift + ← →, Page ↑ ↓', 'Previous and next time'],
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
    noFiles: 'The folder is empty; drop one with images in it.',
    unreadable: (name: string) =>
      `open: ${name} could not be read from the disk: it was changed, moved or is not permitted; choose it again`,
    forgotten: 'These files are no longer at hand; open them again.',
    savedPartly: (done: number, all: number, folder: string, why: string | null) =>
      `${why === null ? 'Cancelled' : 'Writing failed'}: ${done} of ${files(all)} were written to ${folder}` +
      `${done > 0 ? ', all of them whole' : ''}${why === null ? '.' : ` (${why}).`}`,
    zipTooLarge: (bytes: number) =>
      `The series has ${(bytes / 2 ** 30).toFixed(1)} GiB, more than a zip can hold; save it to a folder.`,
    noFolder: (why: string) => `The folder cannot be used (${why}); choose another one or save as .zip.`,
    unexpected: (doing: string, why: string) => `${doing} failed: ${why}`,
    notFinite: 'The network gives values that are no numbers for this image; choose other weights.',
    gpuLost: (why: string) => `The graphics device was lost (${why}); it was set up again, press Restore.`,
  },
  notices: {
    opened: (name: string, role: Role) => (role === 'input' ? `${name} opened.` : `${name} is now the reference.`),
    clamped: (clamped: number, where: 'slice' | 'volume', low: string, high: string) =>
      `Outside ${low} … ${high}, and clamped for the network: ${voxels(clamped)} of this ${where}.`,
    nonFinite: (found: number, where: 'slice' | 'volume', low: string) =>
      `Not a number, and ${low} for the network: ${voxels(found)} of this ${where}.`,
    tiles: (count: number) =>
      `Restored in ${count} overlapping parts, as the whole slice does not fit: the network saw one part at a time.`,
    cancelled: (count: number) => `Cancelled; ${count} restored ${count === 1 ? 'slice is' : 'slices are'} kept.`,
    ended: (doing: string) => `${doing} was cancelled.`,
    saved: (name: string) => `${name} saved.`,
    savedFolder: (count: number, folder: string) => `${files(count)} saved in ${folder}.`,
    partlySaved: (count: number, slices: number) =>
      `${count} of ${slices} slices are restored; the others are the input’s.`,
    notOnCuts: (plane: PlaneState['name']) =>
      `Only ${acquired(plane)} are restored: choose that plane, or press Restore volume.`,
    tooMany: (most: number) => `Only the first ${most.toLocaleString('en')} files were looked at.`,
  },
} as const;
