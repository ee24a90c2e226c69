import type { Subject } from '../conformance/subject.ts';
import { referenceSubject } from '../conformance/referenceSubject.ts';
import { runProgram } from '../engine/program.ts';
import { variantsFor } from '../kernels/variants.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import { startNodeHelper } from '../training/wasm/nodeHelpers.ts';
import { evaluateWithWasm } from '../training/wasm/wasmSubject.ts';
import { evaluateWithTfjs, gradientsWithTfjs } from '../training/tfjsSubject.ts';
import { trainingOps } from '../training/tfjsTrainingOps.ts';
import { deviceName, openWebGpu, wasmPaths, type DeviceChoice, type WebGpuDevice } from './devices.ts';
import { sentence } from './errors.ts';

/** The interpreters that can be verified here; the devices they run on, or why they cannot, are said on stderr. */
export async function openSubjects(choice: DeviceChoice | undefined): Promise<Subject[]> {
  if (choice === 'cpu') return [referenceSubject];
  if (choice === 'wasm') return [ownWasmSubject, await wasmSubject()];
  const subjects = [referenceSubject];
  try {
    const found = await openWebGpu(choice);
    process.stderr.write(`device: ${deviceName(found)}\n`);
    subjects.push(engineSubject(found));
    if (found.device.features.has('shader-f16')) subjects.push(halfSubject(found, 'f16'));
    subjects.push(halfSubject(found, 'packed'));
    subjects.push(tfjsWebGpuSubject(found));
  } catch (error) {
    if (choice) throw error;
    process.stderr.write(`note: webgpu is left out: ${sentence(error)}\n`);
  }
  subjects.push(ownWasmSubject);
  try {
    subjects.push(await wasmSubject());
  } catch (error) {
    process.stderr.write(`note: tfjs-wasm is left out: ${sentence(error)}\n`);
  }
  return subjects;
}

/** The engine forward; gradients by the operators that training uses, on the same kernels and their gradients. */
const engineSubject = ({ device, adapter }: WebGpuDevice): Subject => ({
  name: 'webgpu',
  evaluate: (program, activations, weights) => runProgram(device, program, activations, weights),
  async gradients(program, activations, weights, outputGradient) {
    await useTfjsBackend('webgpu', { device, adapterInfo: adapter.info });
    return gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient, trainingOps());
  },
});

/** The engine with activations in float16, on networks: single operators meet keys there that float16 cannot tell apart. */
const halfSubject = ({ device }: WebGpuDevice, precision: 'f16' | 'packed'): Subject => ({
  name: `webgpu-${precision}`,
  skip: (kind) => kind !== 'network',
  evaluate: (program, activations, weights) =>
    runProgram(device, program, activations, weights, { ...variantsFor(device), precision }),
});

/** Stock tfjs operators take minutes for the full network, or for training, on a software device. */
const tfjsWebGpuSubject = ({ device, adapter }: WebGpuDevice): Subject => ({
  name: 'tfjs-webgpu',
  skip: (kind, name) => kind === 'training' || kind === 'erf' || (kind === 'network' && name.includes('full')),
  async evaluate(program, activations, weights) {
    await useTfjsBackend('webgpu', { device, adapterInfo: adapter.info });
    return evaluateWithTfjs(program, new Map([...activations, ...weights]));
  },
  async gradients(program, activations, weights, outputGradient) {
    await useTfjsBackend('webgpu', { device, adapterInfo: adapter.info });
    return gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient);
  },
});

/** Our own kernels on the processor, on two threads so that what passes between them is held against the vectors too. */
const ownWasmSubject: Subject = {
  name: 'wasm',
  evaluate: (program, activations, weights) =>
    evaluateWithWasm(program, activations, weights, { threads: 2, startHelper: startNodeHelper }),
};

async function wasmSubject(): Promise<Subject> {
  const start = () => useTfjsBackend('wasm', { wasmPaths: wasmPaths() });
  await start();
  return {
    name: 'tfjs-wasm',
    async evaluate(program, activations, weights) {
      await start();
      return evaluateWithTfjs(program, new Map([...activations, ...weights]));
    },
    async gradients(program, activations, weights, outputGradient) {
      await start();
      return gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient, trainingOps());
    },
  };
}
