import { ShapeError } from '../model/ops.ts';
import { show, zeros, type Float64Image } from './float64Image.ts';

/** scale · Σ_i partials_ij for partials [count, length]. @throws ShapeError if they have another rank */
export function sumPartials(partials: Float64Image, scale = 1): Float64Image {
  const [count, length] = partials.shape;
  if (partials.shape.length !== 2 || count === undefined || length === undefined) {
    throw new ShapeError(`sumPartials: partials have shape [count, length], found ${show(partials.shape)}`);
  }
  const sums = zeros([length]);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) sums.data[j] += scale * partials.data[i * length + j];
  }
  return sums;
}
