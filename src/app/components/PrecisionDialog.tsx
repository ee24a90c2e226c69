import { PRECISION_CHOICES } from '../precision.ts';
import { choosePrecision } from '../precisionActions.ts';
import { precisionText } from '../precisionText.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Choice } from './Choice.tsx';
import { Dialog } from './Dialog.tsx';

/** In which precision restorations are computed, and why. */
export function PrecisionDialog() {
  const precision = useApp((state) => state.precision);
  const work = useApp((state) => state.work);
  if (!precision) return null;
  const { choice, used, says, fixed } = precision;
  const checking = work?.state === 'precision' || work?.state === 'weights';
  return (
    <Dialog title={precisionText.name}>
      <p className="dialog-says">{precisionText.says}</p>
      <Choice
        legend={precisionText.label}
        name="precision"
        kinds={PRECISION_CHOICES.map((kind) => {
          const [title, sentence] = precisionText.choices[kind];
          return { kind, title, says: sentence, disabled: fixed || work !== null };
        })}
        chosen={choice}
        onChoose={choosePrecision}
      />
      <p role="status" className="precision-used">
        <strong>{`${precisionText.next}: ${checking ? '…' : precisionText.words[used]}`}</strong>
        <span><Unbroken>{checking ? text.work[work.state] : says}</Unbroken></span>
      </p>
    </Dialog>
  );
}

/** Keeps "32-bit" on one line. */
function Unbroken({ children }: { children: string }) {
  return children.split(/(\d+-bit)/).map((part, i) => (i % 2 === 0 ? part : <b key={i}>{part}</b>));
}
