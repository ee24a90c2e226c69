import { FormatError } from './volume.ts';

/** Longer than any number that is printed. */
const LONGEST = 64;
const isSeparator = (code: number): boolean => code <= 0x20 || code === 0x2c;

/**
 * Decodes numbers that are written out, separated by white space or commas, into `data`.
 *
 * @throws FormatError where there are fewer than `data` has room for, or where something is no number
 */
export function decodeTextNumbers(operation: string, bytes: Uint8Array, data: Float32Array): void {
  let at = 0;
  for (let index = 0; index < data.length; index += 1) {
    while (at < bytes.length && isSeparator(bytes[at] ?? 0)) at += 1;
    const start = at;
    while (at < bytes.length && at - start <= LONGEST && !isSeparator(bytes[at] ?? 0)) at += 1;
    const text = String.fromCharCode(...bytes.subarray(start, at));
    const value = /^[-+]?nan$/i.test(text) ? NaN : Number(text.replace(/^([-+]?)inf$/i, '$1Infinity'));
    if (text === '' || (Number.isNaN(value) && !/nan/i.test(text))) {
      throw new FormatError(
        `${operation}: number ${index + 1} of ${data.length} is ${text === '' ? 'missing' : 'not a number'}; ` +
        'the file is damaged or cut short, export it again',
      );
    }
    data[index] = value;
  }
}

/** To be asked before memory is sized by a header: a number takes a digit and a separator at least. */
export function checkHoldsText(operation: string, bytes: Uint8Array, count: number): void {
  if (2 * count - 1 <= bytes.length) return;
  throw new FormatError(
    `${operation}: ${count} numbers were declared, ${bytes.length} bytes of text cannot hold them; ` +
    'the file is cut short, download or copy it again',
  );
}
