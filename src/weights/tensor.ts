/** A tensor in memory, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Parameters under PyTorch's names, in PyTorch's shapes. */
export type StateDict = Map<string, StoredTensor>;

/**
 * A tensor that a checkpoint describes and that is only decoded when asked for: what is not needed (an optimiser's
 * moments) costs nothing. Frozen, so that a pickle cannot change it after its bounds were checked.
 */
export class CheckpointTensor {
  readonly shape: readonly number[];
  /** Bytes that the elements take in the file. */
  readonly byteLength: number;
  /** Decodes the elements, row-major. */
  readonly read: () => Float32Array | Float64Array;

  constructor(shape: readonly number[], byteLength: number, read: () => Float32Array | Float64Array) {
    this.shape = Object.freeze([...shape]);
    this.byteLength = byteLength;
    this.read = read;
    Object.freeze(this);
  }
}

/** Number of elements, product of the dimensions (1 for a scalar). */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
