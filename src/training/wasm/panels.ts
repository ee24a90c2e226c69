import { lanesFor } from '../../kernels/kernel.ts';
import type { StoredTensor } from '../../weights/tensor.ts';

/** A vector with its zeros. */
export function paddedVector(data: ArrayLike<number>): Float32Array {
  const vector = new Float32Array(lanesFor(data.length));
  vector.set(data);
  return vector;
}

/** [taps, channels] with zeros after each tap's channels. */
export function paddedRows(data: ArrayLike<number>, channels: number): Float32Array {
  const rows = data.length / channels;
  const wide = lanesFor(channels);
  const result = new Float32Array(rows * wide);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < channels; c++) result[row * wide + c] = data[row * channels + c]!;
  }
  return result;
}

/**
 * Matrices [I, O], or kernels [k, k, I, O], in the order in which the product kernel reads them: panels of eight output
 * channels, the last of four where four are left over, of each every row's eight or four floats.
 *
 * @param scale of the output channels
 */
export function panels({ shape, data }: StoredTensor, scale: ArrayLike<number> | null): Float32Array {
  const outputs = shape.at(-1)!;
  const inputs = shape.at(-2)!;
  const taps = data.length / inputs / outputs;
  const [rows, columns] = [taps * lanesFor(inputs), lanesFor(outputs)];
  const result = new Float32Array(rows * columns);
  for (let column = 0; column < outputs; column++) {
    const panel = column - (column % 8);
    const width = Math.min(8, columns - panel);
    const factor = scale ? scale[column]! : 1;
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < inputs; i++) {
        const row = tap * lanesFor(inputs) + i;
        result[panel * rows + row * width + (column % 8)] = data[(tap * inputs + i) * outputs + column]! * factor;
      }
    }
  }
  return result;
}
