import * as tf from '@tensorflow/tfjs';

/** What is used of tfjs's wasm backend beyond its documented interface; `tfjsWasmHeap.test.ts` says what breaks. */
interface HeapBackend {
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  /** A view of the heap; it is void as soon as the heap grows, which any new tensor may cause. */
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
  incRef(dataId: object): void;
  readonly wasm: { readonly HEAPU8: Uint8Array };
}

/** Whether the wasm backend, which must be running, was started with threads: their heap is a shared one. */
export function hasThreads(): boolean {
  const { buffer } = (tf.backend() as unknown as HeapBackend).wasm.HEAPU8;
  return !(buffer instanceof ArrayBuffer);
}

/**
 * Runs plain TypeScript on the heap of tfjs's wasm backend, as one operator: without a copy and without a gradient, so
 * within `tf.customGrad`.
 *
 * @param shapes of the new tensors
 * @param compute fills the outputs, which hold whatever was there before
 */
export function onHeap(
  inputs: readonly tf.Tensor[], shapes: readonly (readonly number[])[],
  compute: (inputs: Float32Array[], outputs: Float32Array[]) => void,
): tf.Tensor[] {
  const backend = tf.backend() as unknown as HeapBackend;
  const engine = tf.engine();
  const outputs = shapes.map((shape) => engine.makeTensorFromTensorInfo(backend.makeOutput([...shape], 'float32')));
  compute(
    inputs.map((tensor) => backend.typedArrayFromHeap(tensor)),
    outputs.map((tensor) => backend.typedArrayFromHeap(tensor)),
  );
  return outputs;
}

let clonesShareMemory = false;

/**
 * Lets a clone of a wasm tensor share its memory, as on tfjs's other backends: the stock kernel copies, and a gradient
 * tape clones every tensor that it saves. No operator writes to its inputs.
 */
export function shareMemoryOfClones(): void {
  if (clonesShareMemory) return;
  clonesShareMemory = true;
  tf.unregisterKernel('Identity', 'wasm');
  tf.registerKernel({
    kernelName: 'Identity',
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend }) => {
      const { dataId, shape, dtype } = inputs['x'] as tf.TensorInfo;
      (backend as HeapBackend).incRef(dataId);
      return { dataId, shape, dtype };
    },
  });
}

/** Gradients made by `differentiable`, which nobody outside of the tape has. */
const ownGradients = new WeakSet<tf.Tensor>();

/**
 * An operator with a gradient of its own. What the tape holds for it is freed as soon as the gradient is computed, and
 * so is the output's gradient if it came from such an operator too: tfjs keeps both to the end of the step.
 *
 * @param forward the output and what the gradient needs of inputs and output
 * @param backward the gradients for all inputs, each a tensor of its own, from the output's and what was kept
 */
export function differentiable(
  forward: (...inputs: tf.Tensor[]) => { value: tf.Tensor; keep: tf.Tensor[] },
  backward: (dy: tf.Tensor, kept: tf.Tensor[]) => tf.Tensor[],
): (...inputs: tf.Tensor[]) => tf.Tensor {
  return tf.customGrad((...parameters) => {
    const save = parameters.pop() as tf.GradSaveFunc;
    const { value, keep } = forward(...(parameters as tf.Tensor[]));
    save(keep);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const gradients = tf.tidy(() => backward(dy, saved));
        for (const gradient of gradients) ownGradients.add(gradient);
        tf.dispose(saved);
        if (ownGradients.has(dy)) dy.dispose();
        return gradients;
      },
    };
  }) as (...inputs: tf.Tensor[]) => tf.Tensor;
}
