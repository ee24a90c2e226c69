import { useApp } from '../store.ts';
import { text } from '../text.ts';

/** The line under the header that moves while something is being done; its room is always kept. */
export function WorkBar() {
  const work = useApp((state) => state.work);
  if (!work) return <div className="workbar" />;
  const known = work.done !== null && work.total !== null && work.total > 0;
  const share = known ? work.done! / work.total! : null;
  return (
    <div className="workbar">
      <div
        role="progressbar"
        aria-label={text.work[work.state]}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === null ? undefined : Math.round(share * 100)}
        className={share === null ? 'workbar-unknown' : 'workbar-known'}
        style={share === null ? undefined : { transform: `scaleX(${share})` }}
      />
    </div>
  );
}
