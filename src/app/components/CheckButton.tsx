import { showDialog } from '../actions.ts';
import { checkText } from '../checkText.ts';

/** Opens the check of the device. */
export function CheckButton({ className }: { className: string }) {
  return (
    <button type="button" className={`button ${className}`} onClick={() => showDialog('check')}>
      {checkText.name}
    </button>
  );
}
