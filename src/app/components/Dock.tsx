import { changeView, goToSlice, resetView } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { VIEWS } from '../view/panes.ts';
import { NumberField } from './NumberField.tsx';

/** What steers the viewer, under it. */
export function Dock() {
  const image = useApp((state) => state.image);
  if (!image) return null;
  return (
    <div className="dock">
      <SliceSlider image={image} />
      <div className="dock-row">
        <ViewChoice />
        <WindowLevel image={image} />
      </div>
    </div>
  );
}

function SliceSlider({ image }: { image: ImageState }) {
  const index = useApp((state) => state.index);
  return (
    <label className="slice">
      <span>{text.slice}</span>
      <input
        type="range"
        aria-label={text.slice}
        min={1}
        max={image.slices}
        value={index + 1}
        disabled={image.slices === 1}
        onChange={(event) => goToSlice(event.target.valueAsNumber - 1)}
      />
      <span className="reading">{`${index + 1} / ${image.slices}`}</span>
    </label>
  );
}

function ViewChoice() {
  const chosen = useApp((state) => state.view.view);
  return (
    <div role="radiogroup" aria-label={text.view} className="segments">
      {VIEWS.map((view) => (
        <label key={view}>
          <input type="radio" name="view" checked={view === chosen} onChange={() => changeView({ view })} />
          <span>{text.views[view]}</span>
        </label>
      ))}
    </div>
  );
}

function WindowLevel({ image }: { image: ImageState }) {
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
