import type { NamedBytes } from '../formats/volume.ts';
import type { Case } from './case.ts';
import { readVectors } from './cases.ts';
import { relativeError, type Comparison } from './compare.ts';
import { tolerance, type Subject, type SubjectName } from './subject.ts';
import type { CaseKind } from './vectors.ts';

/** How a subject did on a case. */
export interface CaseResult {
  readonly file: string;
  readonly case: string;
  readonly kind: CaseKind;
  readonly subject: SubjectName;
  /** Largest error of the case's tensors, relative to the largest value of its tensor. */
  readonly error: number;
  readonly tolerance: number;
  /** The tensor in which the largest error is. */
  readonly tensor: string;
  readonly passed: boolean;
  /** Why the subject could not compute the case, else null. */
  readonly failure: string | null;
  readonly milliseconds: number;
}

export interface Verification {
  readonly results: readonly CaseResult[];
  /** Cases that a subject has no way to compute (gradients, mostly): neither passed nor failed. */
  readonly notApplicable: ReadonlyMap<SubjectName, number>;
  /** Every result passed, and there is at least one. */
  readonly passed: boolean;
}

/**
 * Holds every subject against every case of the vectors, one after the other.
 *
 * @param onResult called as results come in
 * @throws FormatError if the vectors are malformed or there are none
 */
export async function verify(
  files: readonly NamedBytes[], subjects: readonly Subject[], onResult: (result: CaseResult) => void,
  signal?: AbortSignal,
): Promise<Verification> {
  const cases = readVectors(files);
  const results: CaseResult[] = [];
  const notApplicable = new Map<SubjectName, number>(subjects.map(({ name }) => [name, 0]));
  for (const subject of subjects) {
    for (const test of cases) {
      signal?.throwIfAborted();
      if (!applies(test, subject)) {
        notApplicable.set(subject.name, (notApplicable.get(subject.name) ?? 0) + 1);
        continue;
      }
      const result = await check(test, subject);
      results.push(result);
      onResult(result);
    }
  }
  return { results, notApplicable, passed: results.length > 0 && results.every(({ passed }) => passed) };
}

/** Cases of plain functions (metrics, k-space crop) run once, with the reference: no interpreter takes part in them. */
function applies(test: Case, subject: Subject): boolean {
  if (test.needs === 'nothing') return subject.name === 'reference';
  if (test.needs === 'gradients' && !subject.gradients) return false;
  return !subject.skip?.(test.kind, test.name);
}

async function check(test: Case, subject: Subject): Promise<CaseResult> {
  const { file, name, kind, needs } = test;
  const allowed = tolerance(subject.name, kind, needs);
  const start = performance.now();
  let comparisons: Comparison[] = [];
  let failure: string | null = null;
  try {
    comparisons = await test.run(subject);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const milliseconds = performance.now() - start;
  const errors = comparisons.map((comparison) => relativeError(comparison, allowed));
  const error = errors.length > 0 ? Math.max(...errors) : Infinity;
  const tensor = comparisons[errors.indexOf(error)]?.tensor ?? '';
  const passed = failure === null && error <= allowed;
  return {
    file, case: name, kind, subject: subject.name, error, tolerance: allowed, tensor, passed, failure, milliseconds,
  };
}
