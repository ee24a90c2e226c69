import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestDevice } from '../engine/device.ts';
import { installNodeWebGpu } from '../engine/nodeGpu.ts';
import { mergeOmniShift } from '../kernels/mergeOmniShift.ts';
import { useTfjsBackend } from './tfjsBackend.ts';
import { compileAhead, internalsOf, tfjsGpu } from './tfjsGpu.ts';
import { gpuTrainingOps } from './tfjsGpuOps.ts';

let device: GPUDevice;
const failures: string[] = [];

beforeAll(async () => {
  const found = await requestDevice(await installNodeWebGpu());
  device = found.device;
  device.addEventListener('uncapturederror', (event) => failures.push((event as GPUUncapturedErrorEvent).error.message));
  await useTfjsBackend('webgpu', { device, adapterInfo: found.adapter.info });
});
afterAll(() => device.destroy());

const ones = (shape: number[]) => tf.ones(shape);
const kernelOf = (channels: number) =>
  gpuTrainingOps.mergeOmniShift(ones([4]), ones([channels, 1, 1, 1]), ones([channels, 1, 3, 3]), ones([channels, 1, 5, 5]));

describe('what is used of tfjs beyond its public interface', () => {
  test('is there: these fields and methods of the WebGPU backend', () => {
    const backend = tf.backend() as unknown as Record<string, unknown>;
    expect(internalsOf(backend)).toBe(backend);
    expect(backend['device']).toBe(device);
    for (const field of ['tensorMap', 'commandQueueOwnedIds']) expect(typeof backend[field], field).toBe('object');
    for (const field of ['commandEncoder', 'computePassEncoder']) expect(field in backend, field).toBe(true);
    expect(typeof backend['dispatchCountInPass']).toBe('number');
    for (const method of [
      'makeTensorInfo', 'uploadToGPU', 'disposeData', 'ensureCommandEncoderReady', 'endComputePassEncoder', 'submitQueue',
      'checkCompileCompletionAsync',
    ]) expect(typeof backend[method], method).toBe('function');
    expect(typeof tf.engine().makeTensorFromTensorInfo).toBe('function');
  });

  test('a backend without them is refused by their names', () => {
    expect(() => internalsOf({ device, tensorMap: new Map(), commandQueueOwnedIds: new WeakSet() }))
      .toThrow(/no commandEncoder, .*submitQueue.*, expected those of version 4\.22\.0/);
  });

  test('a tensor has its buffer in the map once it was uploaded', () => {
    tf.tidy(() => {
      const backend = internalsOf(tf.backend());
      const x = tf.tensor1d([1, 2, 3]);
      backend.uploadToGPU(x.dataId);
      expect((backend.tensorMap.get(x.dataId)!.resource as GPUBuffer).size).toBe(12);
    });
  });
});

describe('dispatches of ours among those of tfjs', () => {
  test('run in the order of the calls', async () => {
    const result = tf.tidy(() => {
      let sum: tf.Tensor = tf.zeros([5, 5, 8]);
      // More than fit in a pass, each reading what tfjs has just written and written over memory that it let go.
      for (let i = 0; i < 40; i++) {
        sum = tf.tidy(() => {
          const two = tf.mul(sum, 2);
          const kernel = gpuTrainingOps.mergeOmniShift(
            tf.slice(two, [0, 0, 0], [1, 1, 4]).reshape([4]), ones([8, 1, 1, 1]), ones([8, 1, 3, 3]), ones([8, 1, 5, 5]),
          );
          return tf.mod(tf.add(kernel, 1), 7);
        });
      }
      return sum;
    });
    // The corner c of the kernel becomes alpha_3 + 1, modulo 7, alpha being 2c: the centre sees all four alphas.
    let corner = 0;
    let centre = 0;
    for (let i = 0; i < 40; i++) [corner, centre] = [(2 * corner + 1) % 7, (8 * corner + 1) % 7];
    const values = await result.data();
    expect([values[0], values[12 * 8]]).toEqual([corner, centre]);
    result.dispose();
    expect(failures).toEqual([]);
  });

  test('keep their uniforms apart when there are more than are held at once', async () => {
    const gpu = tfjsGpu();
    const [alpha, c1, c3, c5] = [[4], [4, 1, 1, 1], [4, 1, 3, 3], [4, 1, 5, 5]].map(ones);
    const [before, after] = tf.tidy(() => {
      const run = () => kernelOf(4);
      const before = run();
      const scratch = gpu.scratch(100);
      // Params that are not read beyond the first, so that each of these is a uniform of its own.
      const dispatch = mergeOmniShift<tf.TensorInfo>({
        branches: { alpha, conv1x1: c1, conv3x3: c3, conv5x5: c5 }, channels: 4, kernel: scratch,
      });
      for (let i = 0; i < 5000; i++) gpu.run([{ ...dispatch, params: [4, i] }]);
      gpu.release(scratch);
      return [before, run()];
    });
    expect(await after.data()).toEqual(await before.data());
    tf.dispose([before, after, alpha, c1, c3, c5]);
    expect(failures).toEqual([]);
  });

  test('leave neither tensors nor memory behind', async () => {
    const step = async () => {
      const kernel = tf.tidy(() => kernelOf(12));
      await kernel.data();
      kernel.dispose();
    };
    await step();
    const before = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU: number };
    for (let i = 0; i < 20; i++) await step();
    const after = tf.memory() as tf.MemoryInfo & { numBytesAllocatedInGPU: number };
    expect(after.numTensors).toBe(before.numTensors);
    expect(after.numDataBuffers).toBe(before.numDataBuffers);
    expect(after.numBytesAllocatedInGPU).toBe(before.numBytesAllocatedInGPU);
  });

  test('are compiled ahead without being run', async () => {
    const before = tf.memory().numTensors;
    const create = device.createCommandEncoder.bind(device);
    let passes = 0;
    device.createCommandEncoder = (descriptor) => {
      const encoder = create(descriptor);
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (pass) => {
        passes++;
        return begin(pass);
      };
      return encoder;
    };
    await compileAhead(() => {
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(gpuTrainingOps.sigmoid(gpuTrainingOps.squaredRelu(x))));
      return gradient(tf.ones([1, 3, 5, 8]));
    });
    expect(passes).toBe(0);
    expect(tf.memory().numTensors).toBe(before);
    const y = tf.tidy(() => gpuTrainingOps.squaredRelu(tf.fill([1, 1, 1, 4], 3)));
    expect([...await y.data()]).toEqual([9, 9, 9, 9]);
    y.dispose();
    device.createCommandEncoder = create;
    expect(passes).toBeGreaterThan(0);
    expect(failures).toEqual([]);
  });
});

test('without WebGPU the adapter is refused', async () => {
  await tf.setBackend('cpu');
  expect(() => tfjsGpu()).toThrow('tfjs: its WebGPU backend has no device');
  await tf.setBackend('webgpu');
});
