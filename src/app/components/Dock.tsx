import { changeView, choosePlane, goToSlice, goToTime } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { planeOf, useApp } from '../store.ts';
import { text } from '../text.ts';
import { VIEWS } from '../view/panes.ts';
import { ACQUIRED, positionOf } from '../view/place.ts';
import { WindowLevel } from './WindowLevel.tsx';

/** What steers the viewer, under it. */
export function Dock() {
  const image = useApp((state) => state.image);
  if (!image) return null;
  return (
    <div className="dock">
      <div className="dock-sliders">
        {image.planes.length > 1 && <PlaneChoice image={image} />}
        <SliceSlider image={image} />
        {image.times > 1 && <TimeSlider image={image} />}
      </div>
      <div className="dock-row">
        <ViewChoice />
        <WindowLevel image={image} />
      </div>
    </div>
  );
}

function SliceSlider({ image }: { image: ImageState }) {
  const place = useApp((state) => state.place);
  const { count } = planeOf(image, place);
  return (
    <Slider label={text.slice} position={positionOf(place)} count={count} onPosition={goToSlice}>
      {`${positionOf(place) + 1} / ${count}`}
    </Slider>
  );
}

function TimeSlider({ image }: { image: ImageState }) {
  const { time } = useApp((state) => state.place);
  return (
    <Slider label={text.time} position={time} count={image.times} onPosition={goToTime}>
      {text.timeValue(time, image.times)}
    </Slider>
  );
}

interface SliderProps {
  readonly label: string;
  /** From 0; users count from 1. */
  readonly position: number;
  readonly count: number;
  readonly onPosition: (position: number) => void;
  readonly children: string;
}

function Slider({ label, position, count, onPosition, children }: SliderProps) {
  return (
    <label className="slice">
      <span>{label}</span>
      <input
        type="range"
        aria-label={label}
        aria-valuetext={children}
        min={1}
        max={count}
        value={position + 1}
        disabled={count === 1}
        onChange={(event) => onPosition(event.target.valueAsNumber - 1)}
      />
      <span className="reading">{children}</span>
    </label>
  );
}

function PlaneChoice({ image }: { image: ImageState }) {
  const chosen = useApp((state) => state.place.across);
  return (
    <div role="radiogroup" aria-label={text.plane} className="segments segments-planes">
      {image.planes.map(({ across, name }) => (
        <label key={across} title={across === ACQUIRED ? text.acquired : undefined}>
          <input type="radio" name="plane" checked={across === chosen} onChange={() => choosePlane(across)} />
          <span>{text.planes[name]}</span>
        </label>
      ))}
    </div>
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
