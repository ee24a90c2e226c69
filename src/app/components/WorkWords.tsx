import type { Work } from '../protocol.ts';
import { text } from '../text.ts';

/** What is being done, how far it is, and how long it will take. */
export function WorkWords({ work: { state, done, total, left } }: { work: Work }) {
  const counted = state === 'saving' ? text.found.files : state === 'scans' ? text.found.scans : text.found.slices;
  const parts = [
    text.work[state],
    done !== null && total !== null ? text.progress(done, counted(total)) : null,
    left !== null ? text.left(left) : null,
  ];
  return parts.filter(Boolean).join(' · ');
}
