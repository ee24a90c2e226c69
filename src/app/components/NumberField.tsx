import { useState } from 'react';

interface Props {
  readonly label: string;
  readonly value: number;
  readonly step: number;
  readonly onValue: (value: number) => void;
}

/** A spin button that takes effect while typing and shows at most four digits after the point. */
export function NumberField({ label, value, step, onValue }: Props) {
  /** What is being typed, as far as it is not yet a number; null outside typing. */
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <label className="number">
      <span>{label}</span>
      <input
        type="number"
        value={typed ?? String(Number(value.toPrecision(5)))}
        step={step}
        onChange={(event) => {
          setTyped(event.target.value);
          if (Number.isFinite(event.target.valueAsNumber)) onValue(event.target.valueAsNumber);
        }}
        onBlur={() => setTyped(null)}
      />
    </label>
  );
}
