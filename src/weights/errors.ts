/** A weights file, or a set of weights, that cannot be used; the message is one sentence for the user. */
export class WeightsError extends Error {
  override name = 'WeightsError';
}

/** Longest piece of a file's own text that a message repeats. */
const QUOTED_CHARACTERS = 72;

/** Text out of a file as it may stand in a message: printable characters on one line, of bounded length. */
export function printable(text: string): string {
  const shown = text.slice(0, QUOTED_CHARACTERS).replace(/[^\x20-\x7e]/g, '?');
  return text.length > QUOTED_CHARACTERS ? `${shown}…` : shown;
}

/** A shape as messages print it: `[48, 1, 3, 3]`; overlong ones are cut. */
export function printableShape(shape: readonly number[]): string {
  return printable(`[${shape.join(', ')}]`);
}
