import { extent } from './geometry.ts';
import type { Frame, SliceGeometry } from './geometry.ts';

export type ViewName = 'side' | 'swipe' | 'difference' | 'ssim';
export const VIEWS: readonly ViewName[] = ['side', 'swipe', 'difference', 'ssim'];

/** An image of the current slice. */
export type Source = 'input' | 'restored' | 'reference';

/** What one pane of the viewer shows. */
export interface Pane {
  readonly rect: Frame;
  /** `swipe` shows `first` left of the divider and `second` right of it; maps compare `first` with `second`. */
  readonly kind: 'image' | 'swipe' | 'difference' | 'ssim';
  readonly first: Source;
  readonly second: Source | null;
}

const GAP = 2;

/**
 * The panes of a view on a canvas of `width` × `height`, in as many columns as show the slice largest; fewer rows where
 * that is nearly the same. A last row that is not full is shared by its panes, at the scale of the others. A pane for
 * the restored image is there before the image is, so that nothing moves when it arrives.
 */
export function panes(
  width: number,
  height: number,
  view: ViewName,
  hasReference: boolean,
  slice: SliceGeometry,
): Pane[] {
  const shown = contents(view, hasReference);
  const rowsFor = (columns: number) => Math.ceil(shown.length / columns);
  const room = (columns: number) => ({
    width: Math.max(1, Math.floor((width + GAP) / columns) - GAP),
    height: Math.max(1, Math.floor((height + GAP) / rowsFor(columns)) - GAP),
  });
  const { width: across, height: down } = extent(slice);
  const scale = (columns: number) => Math.min(room(columns).width / across, room(columns).height / down);
  let columns = shown.length;
  for (let fewer = shown.length - 1; fewer >= 1; fewer--) if (scale(fewer) > 1.1 * scale(columns)) columns = fewer;
  return shown.map((content, i) => {
    const row = Math.floor(i / columns);
    const inRow = Math.min(columns, shown.length - row * columns);
    const [x, x1] = part(width, i % columns, inRow);
    const [y, y1] = part(height, row, rowsFor(columns));
    return { ...content, rect: { x, y, width: x1 - x, height: y1 - y, fit: room(columns) } };
  });
}

function contents(view: ViewName, hasReference: boolean): Omit<Pane, 'rect'>[] {
  const sources: Source[] = hasReference ? ['input', 'restored', 'reference'] : ['input', 'restored'];
  if (view === 'side') return sources.map((first) => ({ kind: 'image', first, second: null }));
  if (view === 'swipe') return [{ kind: 'swipe', first: 'input', second: 'restored' }];
  return hasReference
    ? [
        { kind: view, first: 'input', second: 'reference' },
        { kind: view, first: 'restored', second: 'reference' },
      ]
    : [{ kind: view, first: 'restored', second: 'input' }];
}

/** Start and end of part `index` of `count` along a length, whole pixels, a gap between parts. */
function part(length: number, index: number, count: number): [number, number] {
  const at = (i: number) => Math.round((i * (length + GAP)) / count);
  return [at(index), at(index + 1) - GAP];
}

/** The pane under a point of the canvas, or the first one. */
export function paneAt(all: readonly Pane[], x: number, y: number): Pane {
  const within = (at: number, start: number, length: number) => at >= start && at < start + length;
  return all.find(({ rect }) => within(x, rect.x, rect.width) && within(y, rect.y, rect.height)) ?? all[0]!;
}
