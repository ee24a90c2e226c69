import { verify, type CaseResult } from '../src/conformance/verify.ts';
import { requestDevice } from '../src/engine/device.ts';
import { runProgram } from '../src/engine/program.ts';
import { useTfjsBackend } from '../src/training/tfjsBackend.ts';
import { gradientsWithTfjs } from '../src/training/tfjsSubject.ts';
import { trainingOps } from '../src/training/tfjsTrainingOps.ts';

declare global {
  interface Window {
    /** Holds the page's WebGPU, forward by the engine and gradients as training computes them, against vectors. */
    verifyWebGpu(files: readonly string[]): Promise<readonly CaseResult[]>;
  }
}

window.verifyWebGpu = async (files) => {
  const vectors = await Promise.all(files.map(async (name) => {
    const response = await fetch(`./conformance/${name}`);
    return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
  }));
  const { device, adapter } = await requestDevice(navigator.gpu);
  await useTfjsBackend('webgpu', { device, adapterInfo: adapter.info });
  const { results } = await verify(vectors, [{
    name: 'webgpu',
    evaluate: (program, activations, weights) => runProgram(device, program, activations, weights),
    gradients: (program, activations, weights, outputGradient) =>
      gradientsWithTfjs(program, new Map([...activations, ...weights]), outputGradient, trainingOps()),
  }], () => undefined);
  return results;
};
