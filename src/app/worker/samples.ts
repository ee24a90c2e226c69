import { readImages } from '../../formats/readImages.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import { sliceOf } from '../../image/slice.ts';
import { windowPresets } from '../../image/window.ts';
import type { SampleCard } from '../protocol.ts';
import { FIT, extent } from '../view/geometry.ts';
import type { SliceGeometry } from '../view/geometry.ts';
import { createPainter } from './display2d.ts';
import { fetchBytes, fetchOwn } from './files.ts';
import { geometryOf } from './study.ts';

/** A shipped pair: a degraded image and its reference. */
export interface Sample {
  readonly card: SampleCard;
  open(): Promise<{ input: Volume; reference: Volume }>;
}

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly modality: Modality;
  readonly input: string;
  readonly reference: string;
  readonly attribution: string;
  readonly licence: string;
  readonly degradation: string;
}

export async function openSamples(base: string): Promise<Sample[]> {
  const entries = (await (await fetchOwn(base, 'samples/index.json')).json()) as Entry[];
  return entries.map((entry) => {
    const { id, title, modality, attribution, licence } = entry;
    let opening: ReturnType<Sample['open']> | null = null;
    const read = async (file: string): Promise<Volume> => {
      const volume = readImages([{ name: file, bytes: await fetchBytes(base, `samples/${file}`) }]);
      return { ...volume, modality };
    };
    return {
      card: { id, title, modality, attribution: `${attribution}; ${licence}` },
      open() {
        opening ??= Promise.all([read(entry.input), read(entry.reference)]).then(([input, reference]) => ({
          input,
          reference,
        }));
        opening.catch(() => {
          opening = null;
        });
        return opening;
      },
    };
  });
}

const THUMBNAIL = { width: 512, height: 384, ratio: 1 };

/** The zoom at which a slice fills the thumbnail to its edges. */
function coverZoom(slice: SliceGeometry): number {
  const { width, height } = extent(slice);
  const ratio = (THUMBNAIL.width * height) / (THUMBNAIL.height * width);
  return Math.max(ratio, 1 / ratio) / FIT;
}

/** The middle slice, the degraded image on the left of a line and its reference on the right, as a data URL. */
export async function thumbnail(sample: Sample): Promise<string> {
  const { input, reference } = await sample.open();
  const index = Math.floor(input.slices / 2);
  const canvas = new OffscreenCanvas(THUMBNAIL.width, THUMBNAIL.height);
  const painter = createPainter(canvas);
  const { columns, rows } = input;
  const stored = { columns, rows, stride: columns, scale: 1, offset: 0 };
  painter.set('input', sliceOf(input, index).data, stored);
  painter.set('restored', sliceOf(reference, index).data, stored);
  const preset = windowPresets(sample.card.modality, reference.data)[0]!;
  const { width, centre, inverted } = preset;
  const camera = { zoom: coverZoom(geometryOf(input)), panX: 0, panY: 0 };
  painter.paint({
    size: THUMBNAIL,
    view: { view: 'swipe', window: width, level: centre, inverted, divider: 0.5, camera },
    slice: geometryOf(input),
    hasReference: false,
    evaluation: { low: 0, high: 1, range: 1 },
  });
  const context = canvas.getContext('2d');
  if (context) {
    context.fillStyle = 'rgb(230 232 234 / 0.9)';
    context.fillRect(THUMBNAIL.width / 2 - 1, 0, 2, THUMBNAIL.height);
  }
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.85 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return `data:${blob.type};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
