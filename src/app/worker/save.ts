import { writeNifti } from '../../formats/writeNifti.ts';
import type { Scene, Stored } from './display.ts';
import { createPainter } from './display2d.ts';
import { inputSlice } from './study.ts';
import type { Study } from './study.ts';
import type { Slice } from '../../image/slice.ts';
import type { Source } from '../view/panes.ts';

/** A file for the user. */
interface Saved {
  readonly name: string;
  readonly blob: Blob;
}

/**
 * The restored volume as .nii.gz in the input's space and number type (float32 where the input is not NIfTI); slices
 * that are not restored are those of the input.
 */
export function saveNifti(study: Study): Saved {
  const { volume } = study;
  const size = volume.columns * volume.rows;
  const data = new Float32Array(size * volume.slices);
  for (let i = 0; i < volume.slices; i++) {
    data.set((study.restored.get(i) ?? inputSlice(study, i)).data, i * size);
  }
  const bytes = writeNifti({ ...volume, data }, { gzip: true }) as Uint8Array<ArrayBuffer>;
  return { name: `${plainName(volume.name)}-restored.nii.gz`, blob: new Blob([bytes], { type: 'application/gzip' }) };
}

/** The viewer's picture at its own size, drawn anew by the processor so that no read-back is needed. */
export async function savePng(
  study: Study,
  scene: Scene,
  index: number,
  sources: ReadonlyMap<Source, Slice>,
): Promise<Saved> {
  const canvas = new OffscreenCanvas(scene.size.width, scene.size.height);
  const painter = createPainter(canvas);
  for (const [source, slice] of sources) painter.set(source, slice.data, storedAs(slice));
  painter.paint(scene);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return { name: `${plainName(study.volume.name)}-slice-${index + 1}-${scene.view.view}.png`, blob };
}

export function storedAs({ width, height }: Slice): Stored {
  return { columns: width, rows: height, stride: width, scale: 1, offset: 0 };
}

/** A file's name without folder and ending, fit for any file system. */
function plainName(name: string): string {
  const base = name.split(/[\\/]/).pop() ?? name;
  return base.replace(/\.(nii(\.gz)?|dcm|png)$/i, '').replace(/[^\p{L}\p{N}._ -]+/gu, '_') || 'image';
}
