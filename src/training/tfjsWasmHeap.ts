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
