import { displayTransform } from '../../formats/orientation.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import { windowPresets } from '../../image/window.ts';
import { FIT, extent } from '../view/geometry.ts';
import type { SliceGeometry } from '../view/geometry.ts';
import { createPainter } from './display2d.ts';

/** Longest edge of a picture in pixels. */
const LONGEST = 320;

/** Draws slices of one volume that are in [0, 1], all in the same greys, as data URLs. */
export type SlicePainter = (data: Float32Array) => Promise<string>;

/**
 * @param data the slice that the greys are chosen by, in [0, 1] as the network sees it
 * @param range the native range that became [0, 1]; null for pictures
 */
export function slicePainter(
  volume: Volume, modality: Modality, data: Float32Array, range: readonly [number, number] | null,
): SlicePainter {
  const [low, high] = range ?? [0, 1];
  const { transpose, flipX, flipY } = displayTransform(volume.affine);
  const { columns, rows, spacing } = volume;
  const slice: SliceGeometry = { columns, rows, pixel: spacing ?? { x: 1, y: 1 }, transpose, flipX, flipY };
  const native = data.map((value) => low + value * (high - low));
  const { centre, width, inverted } = windowPresets(modality, native)[0]!;
  const { width: across, height: down } = extent(slice);
  const scale = LONGEST / Math.max(across, down);
  const pixels = (mm: number) => Math.max(1, Math.round(mm * scale));
  const size = { width: pixels(across), height: pixels(down), ratio: 1 };
  const view = { view: 'swipe', window: width, level: centre, inverted, divider: 1 } as const;
  return async (image) => {
    const canvas = new OffscreenCanvas(size.width, size.height);
    const painter = createPainter(canvas);
    // Greys are those of native units, into which the values are scaled while they are drawn.
    const stored = { columns, rows, stride: columns, scale: high - low, offset: low };
    painter.set('input', image.map((value) => (Number.isFinite(value) ? value : 0)), stored);
    painter.paint({
      size,
      view: { ...view, camera: { zoom: 1 / FIT, panX: 0, panY: 0 } },
      slice,
      hasReference: false,
      evaluation: { low: 0, high: 1, range: 1 },
    });
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return `data:image/png;base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
  };
}
