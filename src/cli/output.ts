import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Volume } from '../formats/volume.ts';
import { writeNifti } from '../formats/writeNifti.ts';
import { RefusedError, UsageError } from './errors.ts';
import { pngOf } from './pngOf.ts';

/**
 * The writer that the ending of the path asks for.
 *
 * @param type 'source' keeps the input's number type; 'float32' is for values as the network gives them
 */
export function writerFor(verb: string, out: string, type: 'source' | 'float32'): (volume: Volume) => Uint8Array {
  const name = out.toLowerCase();
  if (name.endsWith('.nii')) return (volume) => writeNifti(volume, { type });
  if (name.endsWith('.nii.gz')) return (volume) => writeNifti(volume, { type, gzip: true });
  if (name.endsWith('.png') && type === 'source') return pngOf;
  const endings = type === 'source' ? '.nii, .nii.gz or .png' : '.nii or .nii.gz';
  throw new UsageError(`${verb}: --out ${out} must end in ${endings}`);
}

/** Before the work, not after it: the folder is there, and no input would be overwritten. */
export async function checkOut(verb: string, out: string, inputs: readonly string[]): Promise<void> {
  if (inputs.some((path) => resolve(path) === resolve(out))) {
    throw new UsageError(`${verb}: --out ${out} is the input itself; choose another name`);
  }
  await stat(dirname(resolve(out)));
}

/** A picture holds one slice. @throws RefusedError where the volume has more */
export function checkFits(verb: string, out: string, { slices }: Volume): void {
  if (slices === 1 || !out.toLowerCase().endsWith('.png')) return;
  throw new RefusedError(`${verb}: the image has ${slices} slices and a PNG holds one; write .nii or .nii.gz`);
}
