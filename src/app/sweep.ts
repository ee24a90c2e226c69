/** What the page and its worker say to each other about a sweep over strengths. */
export type SweepToWorker = { type: 'sweep'; strengths: readonly number[]; models: readonly string[] };

export type SweepFromWorker = { type: 'sweep'; sweep: SweepState };

/** The figures so far: of the degraded images (model null) and of each model. */
export interface SweepState {
  readonly phase: 'running' | 'ended';
  /** The slice that is degraded, and how. */
  readonly title: string;
  /** What a strength is: "Dose fraction". */
  readonly axis: string;
  readonly points: readonly SweepFigure[];
  readonly done: number;
  readonly total: number;
  readonly problem: string | null;
  /** Where the sweep has ended: its file. */
  readonly csv: { readonly name: string; readonly text: string } | null;
}

export interface SweepFigure {
  readonly strength: number;
  readonly model: string | null;
  readonly psnr: number;
  readonly ssim: number;
  readonly rmse: number;
}
