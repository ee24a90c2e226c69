import { showOthers } from '../actions.ts';
import type { Role } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';

/** Comes back to the other images of the drop; not there where there are none. */
export function Others({ role }: { role: Role }) {
  const count = useApp((state) => (state.others[role]?.images.length ?? 0) - 1);
  if (count < 1) return null;
  return (
    <button type="button" className="button quiet" onClick={() => showOthers(role)}>
      {text.found.others(count)}
    </button>
  );
}
