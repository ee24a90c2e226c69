import { text } from '../text.ts';

/** Whether the user has asked for a job to end. */
export interface Job {
  cancelled: boolean;
}

export interface Jobs {
  /** Runs after all jobs before it; `doing` names it in the sentence of an unexpected failure. */
  run(doing: string, work: (job: Job) => Promise<void>): Promise<void>;
  /** Runs after all jobs before it, too, but is nobody's job: not cancelled, not told of, its failure its caller's. */
  turn<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Asks the running and all waiting jobs to end. */
  cancel(): void;
  /** Something that is no job is done: says that nothing is under way, unless a job is. */
  settle(): void;
  /** Whether a job runs or waits. */
  readonly busy: boolean;
}

/** Errors whose message is already a sentence for the user. */
const SENTENCES = new Set([
  'FormatError', 'ShapeError', 'WeightsError', 'DeviceError', 'CardError', 'TrainingError', 'UserError',
]);

/** A failure that the app itself explains. */
export class UserError extends Error {
  override name = 'UserError';
}

/** @throws Error where the job has been asked to end; nothing is said of what a cancelled job throws */
export function proceed(job: Job): void {
  if (job.cancelled) throw new Error('cancelled');
}

/** One thing after another; a failure ends its job with one sentence and leaves everything else as it was. */
export function createJobs(
  failed: (sentence: string) => void,
  cancelled: (sentence: string) => void,
  idle: () => void,
): Jobs {
  let last: Promise<void> = Promise.resolve();
  const pending = new Set<Job>();
  const settle = () => {
    if (pending.size === 0) idle();
  };
  return {
    settle,
    run(doing, work) {
      const job: Job = { cancelled: false };
      pending.add(job);
      last = last.then(async () => {
        try {
          if (!job.cancelled) await work(job);
        } catch (error) {
          if (job.cancelled) cancelled(text.notices.ended(doing));
          else failed(sentence(doing, error));
        }
        pending.delete(job);
        settle();
      });
      return last;
    },
    turn(work) {
      const result = last.then(work);
      last = result.then(
        () => undefined,
        () => undefined,
      );
      return result;
    },
    get busy() {
      return pending.size > 0;
    },
    cancel() {
      for (const job of pending) job.cancelled = true;
    },
  };
}

export function sentence(doing: string, error: unknown): string {
  if (error instanceof Error && SENTENCES.has(error.name)) return error.message;
  return text.failed.unexpected(doing, error instanceof Error ? error.message : String(error));
}
