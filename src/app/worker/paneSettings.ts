import { screenToVoxel } from '../view/geometry.ts';
import type { ScreenToVoxel } from '../view/geometry.ts';
import type { Pane } from '../view/panes.ts';
import { panes } from '../view/panes.ts';
import { differenceSpan } from './display.ts';
import type { Evaluation, Scene } from './display.ts';

/** Everything that both displays need to know to draw one pane. */
export interface PaneSettings {
  readonly pane: Pane;
  readonly toVoxel: ScreenToVoxel;
  readonly columns: number;
  readonly rows: number;
  readonly inverted: boolean;
  /** Native value that is black, and the window's width above it. */
  readonly low: number;
  readonly width: number;
  readonly span: number;
  /** Canvas x of the divider. */
  readonly divider: number;
  readonly evaluation: Evaluation;
  /** Interpolate between voxels; off where they are large enough to be looked at one by one. */
  readonly smooth: boolean;
  /** Samples a pixel along each axis where voxels are smaller than pixels. */
  readonly samples: number;
}

/** Device pixels per voxel from which voxels are shown as squares. */
const SQUARES = 12;

/** The panes of a scene with all that is needed to draw them; none where nothing is open. */
export function paneSettings({ size, view, slice, hasReference, evaluation }: Scene): PaneSettings[] {
  if (!slice) return [];
  const width = Math.max(view.window, 1e-6);
  return panes(size.width, size.height, view.view, hasReference, slice).map((pane) => {
    const toVoxel = screenToVoxel(pane.rect, slice, view.camera);
    const step = Math.max(Math.hypot(toVoxel.xx, toVoxel.yx), Math.hypot(toVoxel.xy, toVoxel.yy));
    return {
      pane,
      toVoxel,
      columns: slice.columns,
      rows: slice.rows,
      inverted: view.inverted,
      low: view.level - width / 2,
      width,
      span: differenceSpan(width),
      divider: pane.rect.x + pane.rect.width * view.divider,
      evaluation,
      smooth: step > 1 / SQUARES,
      samples: Math.min(4, Math.max(1, Math.ceil(step))),
    };
  });
}
