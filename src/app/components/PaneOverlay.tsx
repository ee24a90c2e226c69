import type { ImageState, PlaneState } from '../protocol.ts';
import { acquiredPlane, shownSlice, useApp } from '../store.ts';
import { text } from '../text.ts';
import { DIVERGING, SEQUENTIAL, cssGradient } from '../view/colourMaps.ts';
import { figure } from '../view/describe.ts';
import { scaleBar, screenToVoxel } from '../view/geometry.ts';
import type { Pane, Source } from '../view/panes.ts';
import { ACQUIRED, positionOf } from '../view/place.ts';

interface Props {
  readonly pane: Pane;
  readonly image: ImageState;
  readonly plane: PlaneState;
  /** The first pane carries what holds for all of them. */
  readonly leading: boolean;
}

/** A radiology workstation's corners around one pane: never a patient's name, only what is needed to read the image. */
export function PaneOverlay({ pane, image, plane, leading }: Props) {
  const ratio = useApp((state) => state.size.ratio);
  const missing = useMissing(pane);
  const { x, y, width, height } = pane.rect;
  const place = { left: x / ratio, top: y / ratio, width: width / ratio, height: height / ratio };
  const map = pane.kind === 'difference' || pane.kind === 'ssim';
  return (
    <div className={`pane pane-${pane.kind}`} style={place}>
      <span className="tag pane-name">{title(pane)}</span>
      {pane.kind === 'swipe' && <span className="tag pane-other">{text.sources[pane.second!]}</span>}
      {!missing && <Part pane={pane} />}
      {plane.letters && !missing && <Letters letters={plane.letters} />}
      {missing && <Missing half={pane.kind === 'swipe'} acquired={plane.across === ACQUIRED} />}
      {leading && <Readings image={image} plane={plane} pane={pane} />}
      {map && !missing && <Legend kind={pane.kind as 'difference' | 'ssim'} image={image} />}
    </div>
  );
}

/** The restored image belongs into this pane and is not there. */
function useMissing(pane: Pane): boolean {
  const there = useApp((state) => (shownSlice(state)?.restored ?? 0) > 0);
  return !there && (pane.first === 'restored' || pane.second === 'restored');
}

/** How many of the slices that a cut goes through are there, where some are not. */
function Part({ pane }: { pane: Pane }) {
  const slice = useApp(shownSlice);
  if (!slice) return null;
  const whole = { input: slice.input, restored: slice.restored, reference: slice.through };
  const there = Math.min(whole[pane.first], pane.second ? whole[pane.second] : slice.through);
  if (there === slice.through) return null;
  return (
    <span className={`tag pane-part ${pane.kind === 'swipe' ? 'pane-part-right' : ''}`}>
      {text.pane.part(there, slice.through)}
    </span>
  );
}

function title({ kind, first, second }: Pane): string {
  const name = (source: Source) => text.sources[source];
  if (kind === 'difference') return text.pane.minus(name(first), name(second!));
  if (kind === 'ssim') return text.pane.similarity(name(first), second === 'reference' ? null : name(second!));
  return name(first);
}

function Letters({ letters }: { letters: NonNullable<PlaneState['letters']> }) {
  return (
    <>
      {(['left', 'right', 'top', 'bottom'] as const).map((side) => (
        <span key={side} className={`letter letter-${side}`} data-side={side}>
          {letters[side]}
        </span>
      ))}
    </>
  );
}

function Missing({ half, acquired }: { half: boolean; acquired: boolean }) {
  const restoring = useApp((state) => state.work !== null);
  const plane = useApp(acquiredPlane);
  const how = acquired ? text.pane.pressRestore : text.pane.pressVolume(plane);
  return (
    <p className={`pane-missing ${half ? 'pane-missing-half' : ''} ${restoring ? 'pane-busy' : ''}`}>
      <strong>{restoring ? text.pane.restoring : text.pane.notYet}</strong>
      <span>{restoring ? '\u00a0' : how}</span>
    </p>
  );
}

function Readings({ image, plane, pane }: { image: ImageState; plane: PlaneState; pane: Pane }) {
  const place = useApp((state) => state.place);
  const view = useApp((state) => state.view);
  const ratio = useApp((state) => state.size.ratio);
  const { scale } = screenToVoxel(pane.rect, plane.geometry, view.camera);
  const bar = scaleBar(scale, Math.min(120 * ratio, pane.rect.width / 4));
  return (
    <>
      <p className="tag corner corner-left">
        <span>
          <span className="roomy">{`${text.slice} `}</span>
          {`${positionOf(place) + 1} / ${plane.count}`}
        </span>
        {image.times > 1 && (
          <span>
            <span className="roomy">{`${text.time} `}</span>
            {`${place.time + 1} / ${image.times}`}
          </span>
        )}
        <span className="roomy">{`W ${figure(view.window)}`}</span>
        <span className="roomy">{`L ${figure(view.level)}${image.units === 'raw' ? '' : ` ${image.units}`}`}</span>
      </p>
      <p className="tag corner corner-right">
        <span>{`${Math.round(view.camera.zoom * 100)} %`}</span>
        {image.spacing && (
          <span className="bar-row">
            {`${bar.mm} mm`}
            <i className="bar" style={{ width: bar.pixels / ratio }} />
          </span>
        )}
      </p>
    </>
  );
}

function Legend({ kind, image }: { kind: 'difference' | 'ssim'; image: ImageState }) {
  const window = useApp((state) => state.view.window);
  const ends = kind === 'ssim' ? ['0', '1'] : [`−${figure(window / 4)}`, `+${figure(window / 4)}`];
  return (
    <p className="tag legend">
      <span>{ends[0]}</span>
      <i style={{ backgroundImage: cssGradient(kind === 'ssim' ? SEQUENTIAL : DIVERGING) }} />
      <span>
        {ends[1]}
        {kind === 'difference' && image.units !== 'raw' && <span className="units">{` ${image.units}`}</span>}
      </span>
    </p>
  );
}
