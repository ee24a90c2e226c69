import { changeView, resetView } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { NumberField } from './NumberField.tsx';

/** The window that maps values to greys. */
export function WindowLevel({ image }: { image: ImageState }) {
  const view = useApp((state) => state.view);
  const { window, level, inverted } = view;
  const preset = image.presets.findIndex(
    (p) => p.window === window && p.level === level && p.inverted === inverted,
  );
  const step = 10 ** Math.floor(Math.log10((image.presets[0]?.window ?? 100) / 20));
  return (
    <div className="window">
      <select
        aria-label={text.preset}
        value={preset}
        onChange={(event) => {
          const chosen = image.presets[Number(event.target.value)];
          if (chosen) changeView({ window: chosen.window, level: chosen.level, inverted: chosen.inverted });
        }}
      >
        {preset < 0 && <option value={-1}>{text.custom}</option>}
        {image.presets.map(({ name }, i) => (
          <option key={name} value={i}>
            {name}
          </option>
        ))}
      </select>
      <NumberField
        label={text.window}
        value={window}
        step={step}
        onValue={(width) => changeView({ window: Math.max(1e-6, width) })}
      />
      <NumberField label={text.level} value={level} step={step} onValue={(l) => changeView({ level: l })} />
      <button
        type="button"
        className="button"
        aria-pressed={inverted}
        onClick={() => changeView({ inverted: !inverted })}
      >
        {text.invert}
      </button>
      <button type="button" className="button" onClick={resetView}>
        {text.fit}
      </button>
    </div>
  );
}
