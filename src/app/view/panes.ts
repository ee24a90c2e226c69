import type { Rect } from './geometry.ts';

export type ViewName = 'side' | 'swipe' | 'difference' | 'ssim';
export const VIEWS: readonly ViewName[] = ['side', 'swipe', 'difference', 'ssim'];

/** An image of the current slice. */
export type Source = 'input' | 'restored' | 'reference';

/** What one pane of the viewer shows. */
export interface Pane {
  readonly rect: Rect;
  /** `swipe` shows `first` left of the divider and `second` right of it; maps compare `first` with `second`. */
  readonly kind: 'image' | 'swipe' | 'difference' | 'ssim';
  readonly first: Source;
  readonly second: Source | null;
}

const GAP = 2;

/**
 * The panes of a view, in as many columns as give a square image the most room; fewer rows where that is nearly the
 * same. A pane for the restored image is there before the image is, so that nothing moves when it arrives.
 */
export function panes(width: number, height: number, view: ViewName, hasReference: boolean): Pane[] {
  const shown = contents(view, hasReference);
  const side = (columns: number) =>
    Math.min((width - GAP * (columns - 1)) / columns, height / Math.ceil(shown.length / columns) - GAP);
  let columns = shown.length;
  for (let fewer = shown.length - 1; fewer >= 1; fewer--) if (side(fewer) > 1.1 * side(columns)) columns = fewer;
  const rows = Math.ceil(shown.length / columns);
  return shown.map((content, i) => {
    const [x, x1] = part(width, i % columns, columns);
    const [y, y1] = part(height, Math.floor(i / columns), rows);
    return { ...content, rect: { x, y, width: x1 - x, height: y1 - y } };
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
