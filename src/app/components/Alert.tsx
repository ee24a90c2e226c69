import { dismissAlert } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';

export function Alert() {
  const alert = useApp((state) => state.alert);
  if (!alert) return null;
  return (
    <div className="alert">
      <p role="alert">{alert}</p>
      <button type="button" className="button quiet" onClick={dismissAlert}>
        {text.dismiss}
      </button>
    </div>
  );
}
