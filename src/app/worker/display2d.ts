import { ssimMap } from '../../analysis/metrics.ts';
import { DIVERGING, SEQUENTIAL, colourAt } from '../view/colourMaps.ts';
import type { Source } from '../view/panes.ts';
import { BACKGROUND, oncePerFrame } from './display.ts';
import type { Display, Evaluation, Scene, Stored } from './display.ts';
import { paneSettings } from './paneSettings.ts';
import type { PaneSettings } from './paneSettings.ts';

/** A source's pixels in native units, without padding between rows. */
interface Image {
  readonly columns: number;
  readonly rows: number;
  readonly values: Float32Array;
}

type Images = ReadonlyMap<Source, Image>;

/** The viewer where there is no WebGPU: the same panes as display.wgsl, drawn by the processor. */
export function createDisplay2d(canvas: OffscreenCanvas): Display {
  const painter = createPainter(canvas);
  return { set: painter.set, draw: oncePerFrame(painter.paint), dispose: () => undefined };
}

/** Paints a scene at once; also for thumbnails and saved pictures. @throws Error where the canvas has no 2-D context */
export function createPainter(canvas: OffscreenCanvas): { set: Display['set']; paint(scene: Scene): void } {
  const context = canvas.getContext('2d', { alpha: false });
  if (!context) throw new Error('the canvas has no 2-D context');
  const images = new Map<Source, Image>();
  const maps = ssimCache();
  return {
    set(source, values, stored) {
      if (values && stored) images.set(source, native(values, stored));
      else images.delete(source);
      maps.forget();
    },
    paint(scene) {
      const { width, height } = scene.size;
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      context.fillStyle = `rgb(${BACKGROUND.join(' ')})`;
      context.fillRect(0, 0, width, height);
      for (const settings of paneSettings(scene)) {
        const { rect } = settings.pane;
        if (rect.width < 1 || rect.height < 1) continue;
        const pixels = context.createImageData(rect.width, rect.height);
        colourPane(pixels, settings, images, maps);
        context.putImageData(pixels, rect.x, rect.y);
      }
    },
  };
}

function native(values: Float32Array, { columns, rows, stride, scale, offset }: Stored): Image {
  const out = new Float32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) out[y * columns + x] = values[y * stride + x]! * scale + offset;
  }
  return { columns, rows, values: out };
}

type Colour = (column: number, row: number, x: number) => readonly number[] | null;

/** Fills the pane's pixels; those outside the image keep the background. */
function colourPane(pixels: ImageData, settings: PaneSettings, images: Images, maps: SsimCache): void {
  const { pane, toVoxel: m, columns, rows } = settings;
  const colour = colourOf(settings, images, maps);
  const { data, width, height } = pixels;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const px = pane.rect.x + x + 0.5;
      const py = pane.rect.y + y + 0.5;
      const column = m.xx * px + m.xy * py + m.x0;
      const row = m.yx * px + m.yy * py + m.y0;
      const inside = column >= 0 && row >= 0 && column < columns && row < rows;
      const [r, g, b] = (inside && colour?.(column, row, px)) || BACKGROUND;
      data[at] = r!;
      data[at + 1] = g!;
      data[at + 2] = b!;
      data[at + 3] = 255;
    }
  }
}

function colourOf(settings: PaneSettings, images: Images, maps: SsimCache): Colour | null {
  const { pane, low, width, inverted, span, divider } = settings;
  const first = images.get(pane.first);
  const second = pane.second ? images.get(pane.second) : undefined;
  if (!first) return null;
  const grey = (native: number) => {
    const t = Math.min(1, Math.max(0, (native - low) / width));
    const shade = 255 * (inverted ? 1 - t : t);
    return [shade, shade, shade];
  };
  if (pane.kind === 'image') return (column, row) => grey(footprint(first, column, row, settings));
  if (pane.kind === 'swipe') {
    return (column, row, x) => {
      const image = x < divider ? first : second;
      return image ? grey(footprint(image, column, row, settings)) : null;
    };
  }
  if (!second) return null;
  if (pane.kind === 'difference') {
    return (column, row) => {
      const difference = footprint(first, column, row, settings) - footprint(second, column, row, settings);
      return colourAt(DIVERGING, 0.5 + (0.5 * difference) / span);
    };
  }
  const map = maps.get(first, second, settings.evaluation);
  return (column, row) => colourAt(SEQUENTIAL, map[Math.floor(row) * first.columns + Math.floor(column)]!);
}

/** Mean over the pixel's footprint, which matters where voxels are smaller than pixels. */
function footprint(image: Image, column: number, row: number, settings: PaneSettings): number {
  const { samples: n, smooth, toVoxel: m } = settings;
  if (n === 1) return sample(image, column, row, smooth);
  let sum = 0;
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const dx = (i + 0.5) / n - 0.5;
      const dy = (j + 0.5) / n - 0.5;
      sum += sample(image, column + m.xx * dx + m.xy * dy, row + m.yx * dx + m.yy * dy, smooth);
    }
  }
  return sum / (n * n);
}

/** Native value at a continuous position; voxel i covers [i, i + 1), the edge is repeated. */
function sample({ columns, rows, values }: Image, column: number, row: number, smooth: boolean): number {
  if (!smooth) return values[Math.floor(row) * columns + Math.floor(column)]!; // only inside the grid
  const x = Math.min(columns - 1, Math.max(0, column - 0.5));
  const y = Math.min(rows - 1, Math.max(0, row - 0.5));
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const x1 = Math.min(columns - 1, x0 + 1);
  const y1 = Math.min(rows - 1, y0 + 1);
  const upper = values[y0 * columns + x0]! * (1 - x + x0) + values[y0 * columns + x1]! * (x - x0);
  const lower = values[y1 * columns + x0]! * (1 - x + x0) + values[y1 * columns + x1]! * (x - x0);
  return upper * (1 - y + y0) + lower * (y - y0);
}

interface SsimCache {
  get(a: Image, b: Image, evaluation: Evaluation): Float32Array;
  forget(): void;
}

/** SSIM maps (the metric's own) of the pairs on the screen, kept while their images stay. */
function ssimCache(): SsimCache {
  let kept: { a: Image; b: Image; map: Float32Array }[] = [];
  return {
    get(a, b, evaluation) {
      const found = kept.find((entry) => entry.a === a && entry.b === b);
      if (found) return found.map;
      const slice = ({ columns, rows, values }: Image) => ({ width: columns, height: rows, data: values });
      const map = ssimMap(slice(b), slice(a), { min: evaluation.low, max: evaluation.high }).data;
      kept.push({ a, b, map });
      return map;
    },
    forget() {
      kept = [];
    },
  };
}
