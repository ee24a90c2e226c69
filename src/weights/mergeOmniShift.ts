import { WeightsError } from './errors.ts';

type Numbers = Float32Array | Float64Array;

/** The branches of an Omni-Shift layer in PyTorch's shapes, row-major. */
export interface OmniShiftBranches {
  /** (4): weights of the identity and of the three convolutions. */
  readonly alpha: Numbers;
  /** (C, 1, 1, 1) */
  readonly conv1x1: Numbers;
  /** (C, 1, 3, 3) */
  readonly conv3x3: Numbers;
  /** (C, 1, 5, 5) */
  readonly conv5x5: Numbers;
}

/**
 * Eq. 11 as one kernel: `alpha[0]·x + alpha[1]·DW1(x) + alpha[2]·DW3(x) + alpha[3]·DW5(x)` is a depth-wise 5×5
 * convolution with zero padding, the smaller kernels padded by zeros and the identity a one at the centre.
 *
 * @returns [5, 5, C]
 * @throws WeightsError where the branches disagree about C
 */
export function mergeOmniShift({ alpha, conv1x1, conv3x3, conv5x5 }: OmniShiftBranches): Float64Array {
  const channels = conv1x1.length;
  if (alpha.length !== 4 || conv3x3.length !== 9 * channels || conv5x5.length !== 25 * channels) {
    throw new WeightsError(
      `weights: omni_shift has ${alpha.length} alphas and kernels of ${conv1x1.length}, ${conv3x3.length} and ` +
        `${conv5x5.length} values, expected 4, C, 9C and 25C; load a complete checkpoint`,
    );
  }
  const merged = new Float64Array(25 * channels);
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 5; column++) {
      const inner = row >= 1 && row <= 3 && column >= 1 && column <= 3;
      const centre = row === 2 && column === 2;
      for (let c = 0; c < channels; c++) {
        let value = alpha[3] * conv5x5[(c * 5 + row) * 5 + column];
        if (inner) value += alpha[2] * conv3x3[(c * 3 + row - 1) * 3 + column - 1];
        if (centre) value += alpha[1] * conv1x1[c] + alpha[0];
        merged[(row * 5 + column) * channels + c] = value;
      }
    }
  }
  return merged;
}
