import { evaluate, EVALUATION_RANGE } from '../analysis/metrics.ts';
import type { Modality } from '../formats/volume.ts';
import { degradeMri } from '../image/degradeMri.ts';
import type { Slice } from '../image/slice.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import { eachValue, wholeTensor } from './compare.ts';
import type { VectorFile } from './vectors.ts';

/**
 * Metrics: `ct|pet|mri….label` and `.estimate` (H, W) in native units, both clamped to the modality's evaluation range,
 * and the three numbers `.psnr_ssim_rmse`.
 */
export function metricsCases(file: VectorFile): Case[] {
  return file.matches(/^((ct|pet|mri)\b.*\.|)psnr_ssim_rmse$/).map(([group, modality]) => {
    if (!modality) throw file.refuse('psnr_ssim_rmse is of no modality, expected ct, pet or mri before it');
    const label = file.take(`${group}label`, [null, null]);
    const estimate = file.take(`${group}estimate`, label.shape);
    const expected = file.take(`${group}psnr_ssim_rmse`, [3]);
    return {
      file: file.name, name: `${group.slice(0, -1)} metrics`, kind: 'metrics', needs: 'nothing',
      run: async () => {
        const { psnr, ssim, rmse } = evaluate(slice(label), slice(estimate), EVALUATION_RANGE[modality as Modality]);
        const got = { shape: [3], data: Float64Array.of(psnr, ssim, rmse) };
        return [eachValue(`${group}psnr_ssim_rmse`, got, expected, { floor: 0 })];
      },
    };
  });
}

/** K-space crop to a quarter along each axis: `NAME.hq` (H, W) in any units and the magnitude image `NAME.lq`. */
export function kSpaceCropCases(file: VectorFile): Case[] {
  return file.matches(/^(.+)\.lq$/).filter(([group]) => !file.has(`${group}.grad_norms`)).map(([group]) => {
    const hq = file.take(`${group}.hq`, [null, null]);
    const lq = file.take(`${group}.lq`, hq.shape);
    return {
      file: file.name, name: `${group} k-space crop`, kind: 'kSpaceCrop', needs: 'nothing',
      run: async () => {
        const got = { shape: hq.shape, data: degradeMri(slice(hq), { factor: 4 }).data };
        return [wholeTensor(`${group}.lq`, got, lq)];
      },
    };
  });
}

/** (H, W) as the image functions take it. */
function slice({ shape, data }: StoredTensor): Slice {
  const [height, width] = shape;
  return { width, height, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}
