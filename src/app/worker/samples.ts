import { readImages } from '../../formats/readImages.ts';
import { sourceOf } from '../../formats/volume.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import type { SampleCard } from '../protocol.ts';
import { fetchBytes, fetchOwn } from './files.ts';
import { thumbnail } from './thumbnail.ts';

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
      const bytes = await fetchBytes(base, `samples/${file}`);
      const volume = await readImages([sourceOf({ name: file, bytes })]);
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

/** The degraded image on the left of a line and its reference on the right, as a data URL. */
export async function sampleThumbnail({ card, open }: Sample): Promise<string> {
  const { input, reference } = await open();
  return thumbnail(input, card.modality, { cover: true, beside: reference });
}
