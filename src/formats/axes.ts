import { allocateVoxels } from './guard.ts';
import { luma } from './luma.ts';

/**
 * Values with their axes in another order.
 *
 * @param sizes of the axes, the fastest first
 * @param order axis `order[k]` becomes axis k
 */
export function reordered(
  operation: string, data: Float32Array, sizes: readonly number[], order: readonly number[],
): Float32Array {
  if (order.every((axis, index) => axis === index)) return data;
  const strides: number[] = [];
  sizes.reduce((stride, size) => (strides.push(stride), stride * size), 1);
  const counts = order.map((axis) => sizes[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const [count = 1, ...outerCounts] = counts;
  const [step = 1, ...outerSteps] = steps;
  const position = outerCounts.map(() => 0);
  const result = allocateVoxels(operation, data.length);
  let from = 0;
  for (let to = 0; to < result.length; to += count) {
    for (let index = 0; index < count; index += 1) result[to + index] = data[from + index * step] ?? 0;
    for (let axis = 0; axis < position.length; axis += 1) {
      const next = (position[axis] ?? 0) + 1;
      const outerStep = outerSteps[axis] ?? 0;
      if (next < (outerCounts[axis] ?? 1)) {
        position[axis] = next;
        from += outerStep;
        break;
      }
      position[axis] = 0;
      from -= outerStep * (next - 1);
    }
  }
  return result;
}

/** Red, green and blue (and alpha, ignored) of each voxel side by side → brightness. */
export function lumaOf(operation: string, data: Float32Array, channels: number): Float32Array {
  const result = allocateVoxels(operation, data.length / channels);
  for (let index = 0; index < result.length; index += 1) {
    const at = index * channels;
    result[index] = luma(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);
  }
  return result;
}
