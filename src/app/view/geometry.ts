/** A rectangle on the canvas in device pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A pane's rectangle, with the room that its slice at zoom 1 is fitted into where that is less than the whole. */
export interface Frame extends Rect {
  readonly fit?: { readonly width: number; readonly height: number };
}

/** How a slice lies on the screen: its grid, the size of a pixel, and the way its axes run. */
export interface SliceGeometry {
  readonly columns: number;
  readonly rows: number;
  /** Size of a pixel in mm along columns and rows; 1, 1 where the file does not say. */
  readonly pixel: { readonly x: number; readonly y: number };
  /** The file's rows run across the screen instead of down it. */
  readonly transpose: boolean;
  /** The index grows to the left of the screen. */
  readonly flipX: boolean;
  /** The index grows to the top of the screen. */
  readonly flipY: boolean;
}

/** Pan in mm on the screen's axes; zoom 1 fits the slice into its pane. */
export interface Camera {
  readonly zoom: number;
  readonly panX: number;
  readonly panY: number;
}

/**
 * Device pixel (x, y) → continuous voxel position: column = xx·x + xy·y + x0, row = yx·x + yy·y + y0. Voxel i covers
 * [i, i + 1).
 */
export interface ScreenToVoxel {
  readonly xx: number;
  readonly xy: number;
  readonly x0: number;
  readonly yx: number;
  readonly yy: number;
  readonly y0: number;
  /** Device pixels per mm. */
  readonly scale: number;
}

/** Share of a pane that a slice at zoom 1 fills: the rest is air for labels and orientation letters. */
export const FIT = 0.97;

/** Width and height of a slice on the screen in mm. */
export function extent(slice: SliceGeometry): { width: number; height: number } {
  const along = slice.columns * slice.pixel.x;
  const down = slice.rows * slice.pixel.y;
  return slice.transpose ? { width: down, height: along } : { width: along, height: down };
}

/** The mapping from the canvas to the voxels of a slice that is fitted into `pane` and moved by `camera`. */
export function screenToVoxel(pane: Frame, slice: SliceGeometry, camera: Camera): ScreenToVoxel {
  const { width, height } = extent(slice);
  const room = pane.fit ?? pane;
  const scale = Math.min(room.width / width, room.height / height) * FIT * camera.zoom;
  // mm from the slice's left and top edge = (pixel − centre) / scale + half the extent − pan
  const left = width / 2 - camera.panX - (pane.x + pane.width / 2) / scale;
  const top = height / 2 - camera.panY - (pane.y + pane.height / 2) / scale;
  const across = slice.transpose ? slice.pixel.y : slice.pixel.x;
  const down = slice.transpose ? slice.pixel.x : slice.pixel.y;
  const horizontal = axis(1 / (scale * across), left / across, width / across, slice.flipX);
  const vertical = axis(1 / (scale * down), top / down, height / down, slice.flipY);
  return slice.transpose
    ? { xx: 0, xy: vertical.slope, x0: vertical.start, yx: horizontal.slope, yy: 0, y0: horizontal.start, scale }
    : { xx: horizontal.slope, xy: 0, x0: horizontal.start, yx: 0, yy: vertical.slope, y0: vertical.start, scale };
}

const axis = (slope: number, start: number, count: number, flip: boolean) =>
  flip ? { slope: -slope, start: count - start } : { slope, start };

/** The camera after zooming by `factor` while the point (x, y) of the canvas stays over the same tissue. */
export function zoomAt(pane: Frame, slice: SliceGeometry, camera: Camera, factor: number, x: number, y: number): Camera {
  const zoom = Math.min(32, Math.max(0.25, camera.zoom * factor));
  const before = screenToVoxel(pane, slice, camera).scale;
  const after = (before * zoom) / camera.zoom;
  const dx = x - (pane.x + pane.width / 2);
  const dy = y - (pane.y + pane.height / 2);
  return { zoom, panX: camera.panX + dx / after - dx / before, panY: camera.panY + dy / after - dy / before };
}

/** The longest of 1, 2, 5 × 10ⁿ mm that is at most `limit` device pixels long. */
export function scaleBar(scale: number, limit: number): { mm: number; pixels: number } {
  const most = limit / scale;
  const power = 10 ** Math.floor(Math.log10(most));
  const mm = power * ([5, 2].find((step) => step * power <= most) ?? 1);
  return { mm, pixels: mm * scale };
}
