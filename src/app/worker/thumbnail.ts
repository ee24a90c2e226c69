import type { Modality, Volume } from '../../formats/volume.ts';
import { sliceOf } from '../../image/slice.ts';
import { windowPresets } from '../../image/window.ts';
import type { WindowPreset } from '../../image/window.ts';
import { FIT, extent } from '../view/geometry.ts';
import type { SliceGeometry } from '../view/geometry.ts';
import { createPainter } from './display2d.ts';
import { finite, storedAs } from './pictures.ts';
import { geometryOf } from './study.ts';

const SIZE = { width: 512, height: 384, ratio: 1 };

/** The zoom at which a slice fills the thumbnail to its edges. */
function coverZoom(slice: SliceGeometry): number {
  const { width, height } = extent(slice);
  const ratio = (SIZE.width * height) / (SIZE.height * width);
  return Math.max(ratio, 1 / ratio) / FIT;
}

/** The modality's first window, or the automatic one, which comes last, where that would be all black or white. */
function windowFor(modality: Modality, data: Float32Array): WindowPreset {
  const presets = windowPresets(modality, data);
  const first = presets[0]!;
  const [low, high] = [first.centre - first.width / 2, first.centre + first.width / 2];
  return data.some((value) => value > low && value < high) ? first : presets[presets.length - 1]!;
}

interface Options {
  /** Fill the thumbnail to its edges instead of showing the whole slice. */
  readonly cover: boolean;
  /** An image of the same grid that is shown right of a line through the middle. */
  readonly beside: Volume | null;
}

/** The middle slice of the first time point in the modality's first window, as a data URL. */
export async function thumbnail(volume: Volume, modality: Modality, { cover, beside }: Options): Promise<string> {
  const index = Math.floor(volume.slices / volume.times / 2);
  const canvas = new OffscreenCanvas(SIZE.width, SIZE.height);
  const painter = createPainter(canvas);
  const set = (source: 'input' | 'restored', of: Volume) => {
    const slice = finite(sliceOf(of, index));
    painter.set(source, slice.data, storedAs(slice));
  };
  set('input', volume);
  if (beside) set('restored', beside);
  const { width, centre, inverted } = windowFor(modality, (beside ?? volume).data);
  const slice = geometryOf(volume);
  const camera = { zoom: cover ? coverZoom(slice) : 1, panX: 0, panY: 0 };
  painter.paint({
    size: SIZE,
    view: { view: 'swipe', window: width, level: centre, inverted, divider: beside ? 0.5 : 1, camera },
    slice,
    hasReference: false,
    evaluation: { low: 0, high: 1, range: 1 },
  });
  const context = canvas.getContext('2d');
  if (context && beside) {
    context.fillStyle = 'rgb(230 232 234 / 0.9)';
    context.fillRect(SIZE.width / 2 - 1, 0, 2, SIZE.height);
  }
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return `data:${blob.type};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
