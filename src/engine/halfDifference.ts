import type { Variants } from '../kernels/variants.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { createEngine } from './engine.ts';

/** An image's edge that shows what rounding does to a network: the network's errors hardly depend on it. */
const EDGE = 64;

/** How far results may be from those in float32 for float16 to be used, of images in [0, 1]. */
export const HALF_LIMIT = 2e-3;

/**
 * The largest difference that float16 makes to a network's result on a test image, on this device and driver: a check
 * before results are relied on. Infinite where values leave float16's range.
 *
 * @param variants tile shapes; by default those for the device
 * @throws DeviceError where the device fails in float32 too
 */
export async function halfDifference(device: GPUDevice, weights: NetworkWeights, variants?: Variants): Promise<number> {
  // A ramp with waves of all lengths and an edge: smooth and sharp, dark and bright.
  const image = Float32Array.from({ length: EDGE * EDGE }, (_, i) => {
    const [y, x] = [Math.floor(i / EDGE) / EDGE, (i % EDGE) / EDGE];
    return Math.min(1, Math.max(0, 0.2 + 0.5 * x + 0.15 * Math.sin(90 * x * y) + 0.15 * Math.sign(y - 0.5)));
  });
  const results: Float32Array[] = [];
  for (const half of [true, false]) {
    const engine = createEngine(device, weights, { variants, half });
    try {
      results.push(await engine.restore(image, EDGE, EDGE));
    } catch (error) {
      if (!half) throw error;
      return Infinity;
    } finally {
      engine.dispose();
    }
  }
  const [halves, floats] = results as [Float32Array, Float32Array];
  return halves.reduce((most, value, i) => Math.max(most, Math.abs(value - floats[i]!)), 0);
}
