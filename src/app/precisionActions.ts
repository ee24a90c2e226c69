import { ask } from './client.ts';
import type { PrecisionChoice } from './precision.ts';
import { keepChoice } from './remember.ts';
import { useApp } from './store.ts';

/** The next restoration follows; a choice of 16-bit is checked with the chosen model at once. */
export function choosePrecision(choice: PrecisionChoice): void {
  useApp.setState(({ precision }) => ({ precision: precision && { ...precision, choice }, alert: null }));
  keepChoice(choice);
  ask('precision', { type: 'precision', choice });
}
