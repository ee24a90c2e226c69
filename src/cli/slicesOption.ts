import { UsageError } from './errors.ts';

const PATTERN = /^(?:every[ :=]?(?<step>[1-9]\d{0,5})|(?<from>[1-9]\d{0,5})(?:-(?<to>[1-9]\d{0,5}))?)$/;

/**
 * `--slices`: which of a volume's slices, counted from 1: `7`, `7-12`, or `every 5`; all where it is not given.
 *
 * @returns from a number of slices the indices, counted from 0; of each run of `every N` the middle one, as the first
 *   of a volume may be empty
 */
export function slicesOption(verb: string, text: string | undefined): (slices: number) => number[] {
  const found = PATTERN.exec(text ?? 'every 1');
  const { step, from, to } = found?.groups ?? {};
  if (!found || (to && Number(to) < Number(from))) {
    throw new UsageError(`${verb}: --slices is "${text}"; it can be 7, 7-12 or "every 5", counted from 1`);
  }
  const [first, last] = [Number(from) - 1, Number(to ?? from) - 1];
  return (slices) =>
    Array.from({ length: slices }, (_, index) => index).filter((index) =>
      step ? index % Number(step) === Math.min(Number(step), slices) >> 1 : index >= first && index <= last,
    );
}

/** Lets `--slices every 5` be written without quotes: joins the number to its word. */
export function joinEvery(args: readonly string[]): string[] {
  const at = args.findIndex((arg, i) => arg === 'every' ? args[i - 1] === '--slices' : arg === '--slices=every');
  if (at < 0 || !/^\d+$/.test(args[at + 1] ?? '')) return [...args];
  return [...args.slice(0, at), `${args[at]} ${args[at + 1]}`, ...args.slice(at + 2)];
}
