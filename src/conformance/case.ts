import type { Comparison } from './compare.ts';
import type { Subject } from './subject.ts';
import type { CaseKind } from './vectors.ts';

/** One thing to compute and compare, made from some tensors of a file. */
export interface Case {
  readonly file: string;
  readonly name: string;
  readonly kind: CaseKind;
  /** What of a subject it uses: `nothing` for plain functions that no interpreter takes part in. */
  readonly needs: 'forward' | 'gradients' | 'nothing';
  run(subject: Subject): Promise<Comparison[]>;
}
