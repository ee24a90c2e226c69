import { EDGE_MULTIPLE } from '../model/config.ts';
import { ShapeError } from '../model/ops.ts';
import { WeightsError } from '../weights/errors.ts';
import type { StoredTensor } from '../weights/tensor.ts';

/** @throws ShapeError unless height and width are positive multiples of 8 and the image has as many values */
export function expectImage(image: Float32Array, height: number, width: number): void {
  const fits = (size: number) => Number.isInteger(size) && size > 0 && size % EDGE_MULTIPLE === 0;
  if (!fits(height) || !fits(width)) {
    throw new ShapeError(
      `network: found an image of ${height}×${width} pixels, expected multiples of ${EDGE_MULTIPLE}; pad it by edge ` +
      'replication',
    );
  }
  if (image.length !== height * width) {
    throw new ShapeError(
      `network: found ${image.length} values for ${height}×${width} pixels, expected ${height * width}`,
    );
  }
}

/** @throws WeightsError where a decay or bonus of a Bi-WKV is not finite: nothing of an image would be left */
export function expectFiniteDecays(tensors: ReadonlyMap<string, StoredTensor>): void {
  for (const [path, { data }] of tensors) {
    if (!/\.spatial_(decay|first)\.\d+$/.test(path)) continue;
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    throw new WeightsError(
      `network: ${path} holds ${data[at]} at ${at}, expected finite numbers; check how the weights were saved`,
    );
  }
}
