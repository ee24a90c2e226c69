import type { Float64Image } from '../kernels/float64Image.ts';
import { float64Image } from '../kernels/float64Image.ts';
import { referenceOps } from '../kernels/reference.ts';
import type { Variants } from '../kernels/variants.ts';
import type { Program } from '../model/ops.ts';
import { requestDevice } from './device.ts';
import { installNodeWebGpu } from './nodeGpu.ts';
import { runProgram } from './program.ts';

/** For tests: a program over `Ops` on seeded random tensors, by WGSL and by the float64 reference. */
export interface Comparison {
  readonly shape: readonly number[];
  readonly expectedShape: readonly number[];
  /** max |wgsl − reference| / max |reference| */
  readonly error: number;
}

let shared: Promise<GPUDevice> | null = null;

/** One WebGPU device for a test file; validation errors fail the test that follows them. */
export function testDevice(): Promise<GPUDevice> {
  shared ??= (async () => {
    const { device } = await requestDevice(await installNodeWebGpu());
    device.addEventListener('uncapturederror', (event) => {
      failures.push((event as GPUUncapturedErrorEvent).error.message);
    });
    return device;
  })();
  return shared;
}
const failures: string[] = [];

/** Numbers in [−1, 1) by a 32-bit mixing hash, so that a failure can be repeated. */
export function seeded(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    let h = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}

/**
 * @param activations,weights shapes by name; values are seeded, times `scale` of the name where given. They are rounded
 *   to float32 first, so that both sides compute on the same numbers.
 */
export async function compareWithReference(
  program: Program,
  activations: Readonly<Record<string, readonly number[]>>,
  weights: Readonly<Record<string, readonly number[]>>,
  variants: Variants,
  scale: Readonly<Record<string, number>> = {},
): Promise<Comparison> {
  const make = (shapes: Readonly<Record<string, readonly number[]>>, seed: number) =>
    new Map(Object.entries(shapes).map(([name, shape], i): [string, Float64Image] => {
      const values = seeded(shape.reduce((a, b) => a * b, 1), seed + i);
      return [name, float64Image(shape, Float32Array.from(values, (value) => value * (scale[name] ?? 1)))];
    }));
  const images = make(activations, 1);
  const parameters = make(weights, 100);
  const device = await testDevice();
  const got = await runProgram(device, program, images, parameters, variants);
  if (failures.length > 0) throw new Error(failures.splice(0).join('\n'));
  const expected = program(referenceOps, (name) => images.get(name) ?? parameters.get(name)!);
  let error = 0;
  let largest = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(got.data[i]! - expected.data[i]!);
    error = Number.isNaN(difference) ? Infinity : Math.max(error, difference);
    largest = Math.max(largest, Math.abs(expected.data[i]!));
  }
  return { shape: got.shape, expectedShape: expected.shape, error: error / largest };
}
