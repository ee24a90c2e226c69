interface Option<Kind> {
  readonly kind: Kind;
  readonly title: string;
  readonly says: string;
  readonly disabled?: boolean;
}

interface Props<Kind extends string> {
  readonly legend: string;
  /** Of the radio group. */
  readonly name: string;
  readonly kinds: readonly Option<Kind>[];
  readonly chosen: Kind;
  readonly onChoose: (kind: Kind) => void;
}

/** One of several things, each with a sentence about it. */
export function Choice<Kind extends string>({ legend, name, kinds, chosen, onChoose }: Props<Kind>) {
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      <div className="kinds">
        {kinds.map(({ kind, title, says, disabled }) => (
          <label key={kind} className="kind">
            <input
              type="radio"
              name={name}
              checked={kind === chosen}
              disabled={disabled}
              onChange={() => onChoose(kind)}
            />
            <span>
              <strong>{title}</strong>
              <small>{says}</small>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
