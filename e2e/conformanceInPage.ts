import { verify, type CaseResult } from '../src/conformance/verify.ts';
import { requestDevice } from '../src/engine/device.ts';
import { runProgram } from '../src/engine/program.ts';
import { GPU_VARIANTS, SOFTWARE_VARIANTS, type Variants } from '../src/kernels/variants.ts';
import { useTfjsBackend } from '../src/training/tfjsBackend.ts';
import { gradientsWithTfjs } from '../src/training/tfjsSubject.ts';
import { trainingOps } from '../src/training/tfjsTrainingOps.ts';

/** The shapes that kernels can be made in, whatever the adapter; training has those for software devices or for GPUs. */
const VARIANTS = {
  software: { forward: SOFTWARE_VARIANTS, training: 'a CPU' },
  gpu: { forward: GPU_VARIANTS, training: 'a GPU' },
  f16: { forward: { ...GPU_VARIANTS, precision: 'f16' }, training: 'a GPU' },
  packed: { forward: { ...SOFTWARE_VARIANTS, precision: 'packed' }, training: 'a CPU' },
  packedGpu: { forward: { ...GPU_VARIANTS, precision: 'packed' }, training: 'a GPU' },
} as const;

export interface Run {
  readonly variants: keyof typeof VARIANTS;
  /** Names of files in public/conformance. */
  readonly files: readonly string[];
  /** Names of cases to leave out. */
  readonly without?: readonly string[];
}

export interface Outcome {
  readonly results: readonly CaseResult[];
  /** What the browser found wrong with shaders or commands, in its own words. */
  readonly complaints: readonly string[];
}

declare global {
  interface Window {
    /** Holds the page's WebGPU, forward by the engine and gradients as training computes them, against vectors. */
    verifyWebGpu(run: Run): Promise<Outcome>;
  }
}

window.verifyWebGpu = async ({ variants, files, without = [] }) => {
  const vectors = await Promise.all(files.map(async (name) => {
    const response = await fetch(`./conformance/${name}`);
    return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
  }));
  const { device } = await requestDevice(navigator.gpu);
  const complaintsOf = listenTo(device);
  const { forward, training }: { forward: Variants; training: string } = VARIANTS[variants];
  // Training chooses by what the adapter says of itself.
  const adapterInfo = renamed(device.adapterInfo, training);
  Object.defineProperty(device, 'adapterInfo', { value: adapterInfo });
  await useTfjsBackend('webgpu', { device, adapterInfo });
  const { results } = await verify(vectors, [{
    name: forward.precision === 'f32' ? 'webgpu' : `webgpu-${forward.precision}`,
    skip: (_, name) => without.includes(name),
    evaluate: (program, activations, weights) => runProgram(device, program, activations, weights, forward),
    gradients: (program, activations, weights, outputGradient) =>
      gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient, trainingOps()),
  }], () => undefined);
  return { results, complaints: await complaintsOf() };
};

/** Gathers what compilers say of shaders, with the line that they say it of, and errors that nobody waits for. */
function listenTo(device: GPUDevice): () => Promise<string[]> {
  const compilations: Promise<string[]>[] = [];
  const createShaderModule = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    const module = createShaderModule(descriptor);
    const lines = descriptor.code.split('\n');
    compilations.push(module.getCompilationInfo().then(({ messages }) => messages
      .filter(({ type }) => type === 'error')
      .map(({ message, lineNum }) => `${message.trim()}\n${lines[lineNum - 1] ?? ''}`)));
    return module;
  };
  const errors = new Set<string>();
  device.addEventListener('uncapturederror', ({ error }) => errors.add(error.message));
  return async () => [...(await Promise.all(compilations)).flat(), ...errors];
}

const renamed = ({ subgroupMinSize, subgroupMaxSize }: GPUAdapterInfo, description: string): GPUAdapterInfo => ({
  __brand: 'GPUAdapterInfo', vendor: '', architecture: '', device: '', description,
  subgroupMinSize, subgroupMaxSize, isFallbackAdapter: false,
});
