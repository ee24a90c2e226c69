import { ShapeError } from '../model/ops.ts';
import { expectShape, show, size, zeros, type Float64Image } from './float64Image.ts';

/** Width of the merged kernel. */
const K = 5;

/** The branches of Omni-Shift as checkpoints hold them: alpha [4], depth-wise kernels [C, 1, k, k]. */
export interface OmniShiftBranches {
  readonly alpha: Float64Image;
  readonly conv1x1: Float64Image;
  readonly conv3x3: Float64Image;
  readonly conv5x5: Float64Image;
}

/**
 * The branches of eq. 11, alpha[0]·x + alpha[1]·DW1(x) + alpha[2]·DW3(x) + alpha[3]·DW5(x), as one kernel [5, 5, C]:
 * kernel[i, j, c] = alpha[0]·[i = j = 2] + Σ_b alpha[b]·branch_b[c, 0, i − o_b, j − o_b], o_b = (5 − k_b)/2, and zero
 * where a smaller branch does not reach.
 *
 * @throws ShapeError if a branch is not [C, 1, k, k] or alpha not [4]
 */
export function mergeOmniShift(branches: OmniShiftBranches): Float64Image {
  const c = branchChannels(branches);
  const alpha = branches.alpha.data;
  const kernel = zeros([K, K, c]);
  for (let channel = 0; channel < c; channel++) kernel.data[CENTRE * c + channel] = alpha[0];
  forEachBranchWeight(branches, (branch, weight, at, to) => (kernel.data[to] += alpha[branch] * weight.data[at]));
  return kernel;
}

/**
 * The merged kernel is bilinear in alpha and the branches. With g = ∂L/∂kernel: ∂L/∂alpha[0] = Σ_c g[2, 2, c],
 * ∂L/∂alpha[b] = Σ g ⊙ padded branch_b, and ∂L/∂branch_b = alpha[b] times g cut to the branch's window.
 */
export function mergeOmniShiftGradient(branches: OmniShiftBranches, g: Float64Image): OmniShiftBranches {
  const c = branchChannels(branches);
  expectShape('mergeOmniShift gradient', 'the gradient of the kernel', g, [K, K, c]);
  const gradient = {
    alpha: zeros([4]),
    conv1x1: zeros(branches.conv1x1.shape),
    conv3x3: zeros(branches.conv3x3.shape),
    conv5x5: zeros(branches.conv5x5.shape),
  };
  const gWeights = [gradient.conv1x1, gradient.conv3x3, gradient.conv5x5];
  for (let channel = 0; channel < c; channel++) gradient.alpha.data[0] += g.data[CENTRE * c + channel];
  forEachBranchWeight(branches, (branch, weight, at, to) => {
    gradient.alpha.data[branch] += g.data[to] * weight.data[at];
    gWeights[branch - 1].data[at] = branches.alpha.data[branch] * g.data[to];
  });
  return gradient;
}

/** Tap (2, 2) of the merged kernel. */
const CENTRE = 12;

/** Visits every weight `at` of every branch (1 to 3, as in alpha) with the place `to` that it adds to when merged. */
function forEachBranchWeight(
  { conv1x1, conv3x3, conv5x5 }: OmniShiftBranches,
  visit: (branch: number, weight: Float64Image, at: number, to: number) => void,
): void {
  [conv1x1, conv3x3, conv5x5].forEach((weight, index) => {
    const [c, , k] = weight.shape;
    const pad = (K - k) / 2;
    for (let at = 0; at < size(weight.shape); at++) {
      const i = Math.floor(at / k) % k;
      const j = at % k;
      visit(index + 1, weight, at, ((i + pad) * K + j + pad) * c + Math.floor(at / (k * k)));
    }
  });
}

function branchChannels({ alpha, conv1x1, conv3x3, conv5x5 }: OmniShiftBranches): number {
  const [c] = conv5x5.shape;
  if (conv5x5.shape.length !== 4) {
    throw new ShapeError(`mergeOmniShift: conv5x5 has shape ${show(conv5x5.shape)}, expected [C, 1, 5, 5]`);
  }
  expectShape('mergeOmniShift', 'alpha', alpha, [4]);
  expectShape('mergeOmniShift', 'conv1x1', conv1x1, [c, 1, 1, 1]);
  expectShape('mergeOmniShift', 'conv3x3', conv3x3, [c, 1, 3, 3]);
  expectShape('mergeOmniShift', 'conv5x5', conv5x5, [c, 1, K, K]);
  return c;
}
