import type { Volume } from '../../formats/volume.ts';
import type { Slice } from '../../image/slice.ts';
import { fromSuv } from '../../image/suv.ts';
import type { SaveRequest, VolumeFormat } from '../protocol.ts';
import { text } from '../text.ts';
import type { Source } from '../view/panes.ts';
import { positionOf } from '../view/place.ts';
import type { Place } from '../view/place.ts';
import { createPainter } from './display2d.ts';
import type { Scene } from './display.ts';
import { storedAs } from './pictures.ts';
import { inputSlice } from './study.ts';
import type { Study } from './study.ts';

/** What saving came to. */
export interface Saved {
  readonly name: string;
  /** For a download; null where the files are written already. */
  readonly blob: Blob | null;
  /** What was done. */
  readonly sentence: string;
  /** What a user should know of it. */
  readonly notices: readonly string[];
}

/** What a picture stands on, by voxel axis. */
const CUT_NAMES = ['column', 'row', 'slice'] as const;

type Write = (volume: Volume, type: 'source' | 'float32') => Promise<Uint8Array>;

/** Writers are fetched when they are asked for. */
const FORMATS: Readonly<Record<VolumeFormat, { readonly ending: string; readonly mime: string; readonly write: Write }>> = {
  nifti: {
    ending: 'nii.gz',
    mime: 'application/gzip',
    write: async (volume, type) => (await import('../../formats/writeNifti.ts')).writeNifti(volume, { type, gzip: true }),
  },
  nrrd: {
    ending: 'nrrd',
    mime: 'application/octet-stream',
    write: async (volume, type) => (await import('../../formats/writeNrrd.ts')).writeNrrd(volume, { type, gzip: true }),
  },
  metaimage: {
    ending: 'mha',
    mime: 'application/octet-stream',
    write: async (volume, type) =>
      (await import('../../formats/writeMetaImage.ts')).writeMetaImage(volume, { type, gzip: true }),
  },
};

/**
 * The restored volume in the input's own space and units (SUV becomes the scanner's Bq/mL again); slices that are not
 * restored are those of the input.
 */
export function resultOf(study: Study): Volume {
  const { volume } = study;
  const size = volume.columns * volume.rows;
  const data = new Float32Array(size * volume.slices);
  for (let i = 0; i < volume.slices; i++) {
    data.set((study.restored.get(i) ?? inputSlice(study, i)).data, i * size);
  }
  return fromSuv({ ...volume, data });
}

export async function saveVolume(study: Study, request: SaveRequest & { what: VolumeFormat }): Promise<Saved> {
  const { ending, mime, write } = FORMATS[request.what];
  const bytes = (await write(resultOf(study), request.type)) as Uint8Array<ArrayBuffer>;
  const name = `${plainName(study.volume.name)}-restored.${ending}`;
  return { name, blob: new Blob([bytes], { type: mime }), sentence: text.notices.saved(name), notices: kept(study) };
}

/** The viewer's picture at its own size, drawn anew by the processor so that no read-back is needed. */
export async function savePicture(
  study: Study,
  place: Place,
  scene: Scene,
  sources: ReadonlyMap<Source, Slice>,
): Promise<Saved> {
  const canvas = new OffscreenCanvas(scene.size.width, scene.size.height);
  const painter = createPainter(canvas);
  for (const [source, slice] of sources) painter.set(source, slice.data, storedAs(slice));
  painter.paint(scene);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  const time = study.volume.times > 1 ? `-time-${place.time + 1}` : '';
  const which = `${CUT_NAMES[place.across]}-${positionOf(place) + 1}`;
  const name = `${plainName(study.volume.name)}${time}-${which}-${scene.view.view}.png`;
  return { name, blob, sentence: text.notices.saved(name), notices: [] };
}

/** Says which slices of a saved volume are the input's. */
export function kept({ restored, volume }: Study): string[] {
  return restored.size < volume.slices ? [text.notices.partlySaved(restored.size, volume.slices)] : [];
}

/** A file's name without folder and ending, fit for any file system. */
export function plainName(name: string): string {
  const base = name.split(/[\\/]/).pop() ?? name;
  const ending = /\.(nii(\.gz)?|dcm|nrrd|nhdr|mha|mhd|npy|png|jpe?g|tiff?)$/i;
  return base.replace(ending, '').replace(/[^\p{L}\p{N}._ -]+/gu, '_').trim() || 'image';
}
