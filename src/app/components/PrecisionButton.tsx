import { showDialog } from '../actions.ts';
import { precisionText } from '../precisionText.ts';
import { useApp } from '../store.ts';

interface Props {
  readonly className: string;
  /** Where nothing around it says what it is about. */
  readonly long?: boolean;
}

/** Says in which precision restorations are computed, and opens the choice. */
export function PrecisionButton({ className, long = false }: Props) {
  const precision = useApp((state) => state.precision);
  if (!precision) return null;
  return (
    <button
      type="button"
      className={`button ${className}`}
      aria-label={precisionText.button(precision.used)}
      title={precision.says}
      onClick={() => showDialog('precision')}
    >
      {long ? precisionText.button(precision.used) : precisionText.short[precision.used]}
    </button>
  );
}
