import type { PrecisionChoice, Stored } from './precision.ts';

/** "0.0006": not less than the value, one digit. */
function atMost(value: number): string {
  if (!(value > 0)) return '0';
  const digits = Math.min(12, Math.max(0, -Math.floor(Math.log10(value))));
  return (Math.ceil(value * 10 ** digits - 1e-6) / 10 ** digits).toFixed(digits);
}

/** "0.0031" */
const figure = (value: number): string => String(Number(value.toPrecision(2)));

const milliseconds = (value: number): string => `${figure(value)} ms`;

/** Every sentence and label of the precision of restorations. */
export const precisionText = {
  name: 'Precision',
  says: 'How the network stores its intermediate results. Sums are made in 32 bits, and files are written as ever.',
  label: 'Store them as',
  choices: {
    auto: ['Automatic', '16-bit where that is faster on this device and results hardly differ, else 32-bit.'],
    f32: ['32-bit floats', 'As the models were trained and measured.'],
    f16: ['16-bit floats', 'Half the memory of an image. Checked with each model before it is used.'],
  } satisfies Record<PrecisionChoice, readonly [string, string]>,
  words: { f32: '32-bit floats', f16: '16-bit floats' } satisfies Record<Stored, string>,
  short: { f32: '32-bit', f16: '16-bit' } satisfies Record<Stored, string>,
  button: (used: Stored) => `Precision: ${precisionText.words[used]}`,
  next: 'The next restoration',
  why: {
    wasm: 'WebAssembly always computes in 32-bit floats.',
    software: 'WebGPU runs in software here: Automatic stays with 32-bit floats.',
    undecided: 'Both are compared after the first restoration with this model.',
    measuring: 'Both are being compared…',
    unfinished: 'Comparing both did not end on this device, so Automatic stays with 32-bit floats.',
    faster: (times: number, difference: number) =>
      `${figure(times)} times as fast here; results differ by at most ${atMost(difference)} of the range from 32-bit.`,
    notFaster: ({ f32, f16 }: { f32: number; f16: number }) =>
      `16-bit is not clearly faster here: ${milliseconds(f16)} for 256 × 256, and 32-bit ${milliseconds(f32)}.`,
    chosen: 'As chosen.',
    checked: (difference: number) =>
      `As chosen; results differ by at most ${atMost(difference)} of the range from 32-bit on test images.`,
    unchecked: 'As chosen, once it is checked with this model.',
    differs: (difference: number, limit: number) =>
      `16-bit would change this model’s results by ${figure(difference)} of the range; ${limit} is the most allowed.`,
    fails: '16-bit does not work with this model on this device.',
  },
  /** Added to the software's name in files; null: nothing is restored. */
  inFiles: { f32: '', f16: ', 16-bit floats', both: ', 16- and 32-bit floats' },
};
