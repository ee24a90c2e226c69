import { expectShape, imageShape, zeros, type Float64Image } from './float64Image.ts';

/** [N, H, W, A], [N, H, W, B] → [N, H, W, A + B]. @throws ShapeError if N, H or W differ */
export function concat(a: Float64Image, b: Float64Image): Float64Image {
  const [n, h, w, ca] = imageShape('concat', a);
  const [, , , cb] = imageShape('concat', b);
  expectShape('concat', 'the second argument', b, [n, h, w, cb]);
  const y = zeros([n, h, w, ca + cb]);
  for (let token = 0; token < n * h * w; token++) {
    y.data.set(a.data.subarray(token * ca, (token + 1) * ca), token * (ca + cb));
    y.data.set(b.data.subarray(token * cb, (token + 1) * cb), token * (ca + cb) + ca);
  }
  return y;
}

/** Every value is copied once: the gradient is the output's, cut at channel A. */
export function concatGradient(
  a: Float64Image, b: Float64Image, g: Float64Image,
): { a: Float64Image; b: Float64Image } {
  const [n, h, w, ca] = imageShape('concat gradient', a);
  const [, , , cb] = imageShape('concat gradient', b);
  expectShape('concat gradient', 'the gradient of the output', g, [n, h, w, ca + cb]);
  const ga = zeros(a.shape);
  const gb = zeros(b.shape);
  for (let token = 0; token < n * h * w; token++) {
    const at = token * (ca + cb);
    ga.data.set(g.data.subarray(at, at + ca), token * ca);
    gb.data.set(g.data.subarray(at + ca, at + ca + cb), token * cb);
  }
  return { a: ga, b: gb };
}
