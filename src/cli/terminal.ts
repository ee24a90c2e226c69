import { sentence } from './errors.ts';

/** What the user should know, a line each on stderr. */
export function note(...notices: readonly string[]): void {
  for (const notice of notices) process.stderr.write(`note: ${sentence(notice)}\n`);
}

/** On a terminal only: one line on stderr that counts what is done of `what` and says the time left. */
export function progress(what: string, done: number, total: number, milliseconds: number): void {
  if (!process.stderr.isTTY || total === 1) return;
  const left = Math.round((milliseconds / done) * (total - done) / 1000);
  process.stderr.write(done < total ? `\r${what} ${done} of ${total}, ${left} s left\u001b[K` : '\r\u001b[K');
}
