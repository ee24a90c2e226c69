import { denormalise, normalise, type Normalisation, type NormalisedImage } from '../image/normalise.ts';
import { crop, padToMultiple } from '../image/padding.ts';
import type { Slice } from '../image/slice.ts';
import { EDGE_MULTIPLE } from '../model/config.ts';
import type { Restorer } from './devices.ts';
import { RefusedError } from './errors.ts';

export interface RestoredSlice extends Pick<NormalisedImage, 'clamped' | 'nonFinite'> {
  /** In native units, of the size of the input. */
  readonly restored: Slice;
}

/**
 * A slice in native units of any size through the network.
 *
 * @param where for the message: "slice 3"
 * @throws RefusedError where a value comes out not finite
 */
export async function restoreSlice(
  slice: Slice, normalisation: Normalisation, restorer: Restorer, where: string,
): Promise<RestoredSlice> {
  const { image, clamped, nonFinite } = normalise(slice, normalisation);
  const restored = denormalise(await throughNetwork(image, restorer, where), normalisation);
  checkFinite(restored, where);
  return { restored, clamped, nonFinite };
}

/** An image in the network's [0, 1], of any size; `where` and errors as above. */
export async function throughNetwork(image: Slice, restorer: Restorer, where: string): Promise<Slice> {
  const padded = padToMultiple(image, EDGE_MULTIPLE);
  const data = await restorer.restore(padded.data, padded.height, padded.width);
  const restored = crop({ ...padded, data }, image.width, image.height);
  checkFinite(restored, where);
  return restored;
}

function checkFinite({ data }: Slice, where: string): void {
  const broken = data.find((value) => !Number.isFinite(value));
  if (broken === undefined) return;
  throw new RefusedError(`restore: ${where} came out with ${broken} in it; try --device wasm`);
}
