import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Dialog } from './Dialog.tsx';

export function KeysDialog() {
  const shown = useApp((state) => state.dialog === 'keys');
  if (!shown) return null;
  return (
    <Dialog title={text.keys.title}>
      <dl className="keys">
        {[...text.keys.list, ...text.keys.pointer].map(([key, says]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
