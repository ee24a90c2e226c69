import type { Modality } from '../formats/volume.ts';

/** Every sentence and label of the sweep over strengths. */
export const sweepText = {
  name: 'Sweep',
  open: 'Sweep strengths…',
  says:
    'The slice on the screen is taken as the reference, degraded more and less, and restored each time: ' +
    'how well does each model keep up?',
  usesReference: 'The slice of the reference is degraded.',
  section: 'Figure 6b',
  strengths: 'Strengths',
  strengthsSays: (low: number, high: number, values: readonly number[] | null) =>
    `Numbers with commas between them${values ? `: ${values.join(' or ')}` : `, from ${low} to ${high}`}.`,
  wrong: 'These are no strengths of this task.',
  models: 'Models',
  begin: 'Measure',
  cancel: 'Cancel',
  save: 'Save CSV',
  input: 'Input',
  psnr: 'PSNR, dB',
  ssim: 'SSIM',
  figures: 'Figures',
  progress: 'Sweep',
  counted: (done: number, total: number) => `${done} of ${total} images compared`,
  ready: 'Nothing has been measured yet.',
  done: (total: number) => `Done: ${total} images compared.`,
  cancelled: 'Cancelled; what was measured is shown.',
  noModel: 'Choose at least one model.',
  title: (name: string, slice: number) => `${name}, slice ${slice + 1}`,
  file: (name: string, task: Modality) => `${name}-${task}-sweep.csv`,
  summary: (name: string, from: string, to: string) => `${name} from ${from} to ${to}`,
};
