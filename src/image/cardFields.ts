import { plainText } from '../formats/guard.ts';

/** A model card, or a weights file's metadata, that cannot be understood; the message is one sentence for the user. */
export class CardError extends Error {
  override name = 'CardError';
}

/** A card is a page of text; more is not a card. */
export const LONGEST_TEXT = 10_000;
const LONGEST_LIST = 100;
/** Of a wrong value that a message repeats. */
const LONGEST_SHOWN = 60;

// Each takes a piece of parsed JSON and where it stands, for the message; each throws CardError.

export function record(json: unknown, at: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse(at, json, 'an object');
  return json as Record<string, unknown>;
}

export function list<T>(json: unknown, at: string, item: (json: unknown, at: string) => T): T[] {
  if (!Array.isArray(json) || json.length > LONGEST_LIST) refuse(at, json, `a list of at most ${LONGEST_LIST}`);
  return json.map((entry: unknown, i) => item(entry, `${at}[${i}]`));
}

export function text(json: unknown, at: string): string {
  if (typeof json !== 'string' || json === '' || json.length > LONGEST_TEXT) refuse(at, json, 'text');
  return json;
}

export function number(json: unknown, at: string): number {
  if (typeof json !== 'number' || !Number.isFinite(json)) refuse(at, json, 'a finite number');
  return json;
}

export function oneOf<T extends string>(json: unknown, allowed: readonly T[], at: string): T {
  const found = allowed.find((value) => value === json);
  if (found === undefined) refuse(at, json, `one of ${allowed.join(', ')}`);
  return found;
}

export function refuse(at: string, found: unknown, expected: string): never {
  throw new CardError(`${at} is ${shown(found)}; expected ${expected}`);
}

function shown(found: unknown): string {
  if (found === undefined) return 'nothing';
  try {
    return plainText(JSON.stringify(found) ?? typeof found, LONGEST_SHOWN);
  } catch {
    // Text can be parsed that nests deeper than it can be written again.
    return Array.isArray(found) ? 'a list of lists' : typeof found;
  }
}
