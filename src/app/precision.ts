/** What the page and its worker say to each other about the precision of restorations. */
export type PrecisionToWorker = { type: 'precision'; choice: PrecisionChoice };

export type PrecisionFromWorker =
  | { type: 'precision'; precision: PrecisionState }
  /** To be kept until the next visit. */
  | { type: 'remember'; devices: string };

/** Automatic leaves it to what was measured. */
export const PRECISION_CHOICES = ['auto', 'f32', 'f16'] as const;
export type PrecisionChoice = (typeof PRECISION_CHOICES)[number];

/** How activations are stored. */
export type Stored = 'f32' | 'f16';

export interface PrecisionState {
  readonly choice: PrecisionChoice;
  /** Of the next restoration. */
  readonly used: Stored;
  /** Why. */
  readonly says: string;
  /** The device has no other. */
  readonly fixed: boolean;
}

/** What the page kept from earlier visits, as it was found. */
export interface Remembered {
  readonly choice: PrecisionChoice;
  /** What was measured, by device; null where nothing was. */
  readonly devices: string | null;
}

/** Longer than what is ever kept. */
export const MOST_REMEMBERED = 2 ** 16;
