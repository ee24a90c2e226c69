import type { CanvasSize, ViewSettings } from '../protocol.ts';
import type { SliceGeometry } from '../view/geometry.ts';
import type { Source } from '../view/panes.ts';

/** Stored value · scale + offset = native value; rows are `stride` values apart. */
export interface Stored {
  readonly columns: number;
  readonly rows: number;
  readonly stride: number;
  readonly scale: number;
  readonly offset: number;
}

/** What the viewer draws apart from the pixels. */
export interface Scene {
  readonly size: CanvasSize;
  readonly view: ViewSettings;
  /** null: nothing is open. */
  readonly slice: SliceGeometry | null;
  readonly hasReference: boolean;
  /** For the SSIM map. */
  readonly evaluation: Evaluation;
}

/** How the metrics see the slice: native values clamped to [low, high]. */
export interface Evaluation {
  readonly low: number;
  readonly high: number;
  /** Span of the clamped image that is compared with. */
  readonly range: number;
}

/** The viewer's canvas; one implementation on WebGPU, one on a 2-D canvas. */
export interface Display {
  /** Gives a source its pixels; null takes them away. */
  set(source: Source, values: Float32Array | null, stored: Stored | null): void;
  draw(scene: Scene): void;
  /** Gives the canvas back; the display must not be used afterwards. */
  dispose(): void;
}

/** Draws at the next frame; of several calls in between only the last is drawn. */
export function oncePerFrame(draw: (scene: Scene) => void): (scene: Scene) => void {
  let waiting: Scene | null = null;
  return (scene) => {
    if (!waiting) {
      requestAnimationFrame(() => {
        const latest = waiting;
        waiting = null;
        if (latest) draw(latest);
      });
    }
    waiting = scene;
  };
}

/** Half the span of the difference's colour scale in native units: a quarter of the window. */
export function differenceSpan(window: number): number {
  return window / 4;
}

/** Canvas background around images, sRGB 0…255; the same in both themes. */
export const BACKGROUND = [11, 12, 14] as const;
