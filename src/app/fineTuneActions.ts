import { ask, tell } from './client.ts';
import type { FitRequest, TuneRequest } from './fineTune.ts';
import { useApp } from './store.ts';
import type { TuneState } from './store.ts';

/** What a user can do about fine-tuning and the sweep. */

const change = (to: Partial<TuneState>) => useApp.setState(({ tune }) => ({ tune: { ...tune, ...to } }));

export function begin(request: TuneRequest): void {
  useApp.setState({ alert: null });
  change({ problem: null });
  ask('preparing', { type: 'tune', request });
}

/** Goes on with the run on the disk, and shows it. */
export function resume(): void {
  change({ problem: null });
  useApp.setState({ dialog: 'tune', alert: null });
  ask('preparing', { type: 'tuneResume' });
}

export const askFit = (fit: FitRequest) => tell({ type: 'tuneFit', fit });
export const forget = () => tell({ type: 'tuneForget' });
export const pause = () => tell({ type: 'tunePause' });
export const goOn = () => tell({ type: 'tuneGoOn' });
export const stop = () => tell({ type: 'tuneStop' });
export const chooseTrained = () => tell({ type: 'tuneUse' });
export const exportTrained = () => tell({ type: 'tuneExport' });
export const closeRun = () => tell({ type: 'tuneClose' });

export function runSweep(strengths: readonly number[], models: readonly string[]): void {
  useApp.setState({ sweep: null });
  ask('sweep', { type: 'sweep', strengths, models });
}
