import type { CHECK_SIZES } from './check.ts';
import { ask } from './client.ts';
import { useApp } from './store.ts';

/** Measures the device: the light network, and the full one where that is asked for. */
export function runCheck(sizes: readonly (typeof CHECK_SIZES)[number][], full: boolean): void {
  const variants = full ? (['light', 'full'] as const) : (['light'] as const);
  const cases = variants.flatMap((variant) => sizes.map((size) => ({ variant, size })));
  useApp.setState({ check: { phase: 'running', cases, done: 0, report: null, problem: null }, alert: null });
  ask('check', { type: 'check', cases });
}
